// SPDX-License-Identifier: Apache-2.0

//! Owns the state table `rs_counts`, which it fills as it parses events: by the event's
//! number modulo five, how often it was met, a label, and a nested table. Others may read
//! `hits` and `nested`, and write `label`.

use std::ffi::{CStr, CString};

use falco_plugin::anyhow::{anyhow, Error};
use falco_plugin::base::Plugin;
use falco_plugin::event::events::RawEvent;
use falco_plugin::extract::{field, ExtractFieldInfo, ExtractPlugin, ExtractRequest};
use falco_plugin::parse::{EventInput, ParseInput, ParsePlugin};
use falco_plugin::tables::{export, TablesInput};
use falco_plugin::{extract_plugin, parse_plugin, plugin};

const KEYS: u64 = 5;

#[derive(export::Entry)]
struct Nested {
    last: export::Public<u64>,
}

type NestedTable = export::Table<u64, Nested>;

#[derive(export::Entry)]
struct Count {
    hits: export::Readonly<u64>,
    label: export::Public<CString>,
    nested: Box<NestedTable>,
}

struct Owner {
    counts: Box<export::Table<u64, Count>>,
}

impl Plugin for Owner {
    const NAME: &'static CStr = c"mews_rs_owner";
    const PLUGIN_VERSION: &'static CStr = c"0.1.0";
    const DESCRIPTION: &'static CStr = c"A state table for the tests of mews";
    const CONTACT: &'static CStr = c"the mews project";
    type ConfigType = ();

    fn new(input: Option<&TablesInput>, _: Self::ConfigType) -> Result<Self, Error> {
        let input = input.ok_or_else(|| anyhow!("no tables"))?;
        let counts = input.add_table(export::Table::new(c"rs_counts")?)?;
        Ok(Self { counts })
    }
}

impl ParsePlugin for Owner {
    type Event<'a> = RawEvent<'a>;

    fn parse_event(&mut self, event: &EventInput<RawEvent>, _: &ParseInput) -> Result<(), Error> {
        let number = event.event_number() as u64;
        let key = number % KEYS;
        let mut entry = match self.counts.lookup(&key) {
            Some(entry) => entry,
            None => {
                let entry = self.counts.create_entry()?;
                self.counts
                    .insert(&key, entry)
                    .ok_or_else(|| anyhow!("no room"))?
            }
        };
        *entry.hits += 1;
        let nested = entry.nested.create_entry()?;
        let mut nested = entry
            .nested
            .insert(&0, nested)
            .ok_or_else(|| anyhow!("no room"))?;
        *nested.last = number;
        Ok(())
    }
}

impl ExtractPlugin for Owner {
    type Event<'a> = RawEvent<'a>;
    type ExtractContext = ();

    const EXTRACT_FIELDS: &'static [ExtractFieldInfo<Self>] = &[
        field("mews_rs_owner.hits", &Self::hits).with_description("Of the event's key."),
        field("mews_rs_owner.label", &Self::label).with_description("As others wrote it."),
    ];
}

impl Owner {
    fn hits(&mut self, req: ExtractRequest<Self>) -> Result<u64, Error> {
        let key = req.event.event_number() as u64 % KEYS;
        let entry = self.counts.lookup(&key).ok_or_else(|| anyhow!("none"))?;
        Ok(*entry.hits)
    }

    fn label(&mut self, req: ExtractRequest<Self>) -> Result<CString, Error> {
        let key = req.event.event_number() as u64 % KEYS;
        let entry = self.counts.lookup(&key).ok_or_else(|| anyhow!("none"))?;
        Ok(entry.label.clone())
    }
}

plugin!(Owner);
parse_plugin!(Owner);
extract_plugin!(Owner);
