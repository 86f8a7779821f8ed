// SPDX-License-Identifier: Apache-2.0

//! Uses tables of others as it parses and extracts: `rs_counts` of mews_rs_owner, and
//! `threads`, into which it puts a thread for each event.
//!
//! `init_config` names another table of the same shape than `rs_counts`.

use std::ffi::{CStr, CString};
use std::ops::ControlFlow;
use std::sync::Arc;

use falco_plugin::anyhow::{anyhow, Error};
use falco_plugin::base::Plugin;
use falco_plugin::event::events::RawEvent;
use falco_plugin::extract::{field, ExtractFieldInfo, ExtractPlugin, ExtractRequest};
use falco_plugin::parse::{EventInput, ParseInput, ParsePlugin};
use falco_plugin::tables::import::{Entry, Field, Table, TableMetadata};
use falco_plugin::tables::TablesInput;
use falco_plugin::{extract_plugin, parse_plugin, plugin};

const KEYS: u64 = 5;

type Nested = Entry<Arc<NestedMetadata>>;
type NestedTable = Table<u64, Nested>;

#[derive(TableMetadata)]
#[entry_type(Nested)]
struct NestedMetadata {
    last: Field<u64, Nested>,
}

type Count = Entry<Arc<CountMetadata>>;
type CountTable = Table<u64, Count>;

#[derive(TableMetadata)]
#[entry_type(Count)]
struct CountMetadata {
    hits: Field<u64, Count>,
    label: Field<CStr, Count>,
    nested: Field<NestedTable, Count>,
    #[custom]
    seen: Field<u64, Count>,
}

type Thread = Entry<Arc<ThreadMetadata>>;
type ThreadTable = Table<i64, Thread>;

#[derive(TableMetadata)]
#[entry_type(Thread)]
struct ThreadMetadata {
    comm: Field<CStr, Thread>,
    #[custom]
    container_id: Field<CStr, Thread>,
}

struct User {
    counts: CountTable,
    threads: ThreadTable,
}

impl Plugin for User {
    const NAME: &'static CStr = c"mews_rs_user";
    const PLUGIN_VERSION: &'static CStr = c"0.1.0";
    const DESCRIPTION: &'static CStr = c"State tables of others, for the tests of mews";
    const CONTACT: &'static CStr = c"the mews project";
    type ConfigType = String;

    fn new(input: Option<&TablesInput>, config: Self::ConfigType) -> Result<Self, Error> {
        let input = input.ok_or_else(|| anyhow!("no tables"))?;
        let name = match config.as_str() {
            "" => CString::from(c"rs_counts"),
            name => CString::new(name)?,
        };
        Ok(Self {
            counts: input.get_table(&name)?,
            threads: input.get_table(c"threads")?,
        })
    }
}

impl ParsePlugin for User {
    type Event<'a> = RawEvent<'a>;

    fn parse_event(&mut self, event: &EventInput<RawEvent>, tables: &ParseInput) -> Result<(), Error> {
        let (reader, writer) = (&tables.reader, &tables.writer);
        let number = event.event_number() as u64;
        let count = self.counts.get_entry(reader, &(number % KEYS))?;
        count.set_seen(writer, &(count.get_hits(reader)? * 10))?;
        count.set_label(writer, &CString::new(format!("event {number}"))?)?;
        let thread = self.threads.create_entry(writer)?;
        thread.set_comm(writer, &CString::new(format!("comm-{number}"))?)?;
        thread.set_container_id(writer, c"abc")?;
        self.threads.insert(reader, writer, &(number as i64), thread)?;
        Ok(())
    }
}

impl ExtractPlugin for User {
    type Event<'a> = RawEvent<'a>;
    type ExtractContext = ();

    const EXTRACT_FIELDS: &'static [ExtractFieldInfo<Self>] = &[
        field("mews_rs_user.hits", &Self::hits).with_description("As the owner has it."),
        field("mews_rs_user.seen", &Self::seen).with_description("A field of ours there."),
        field("mews_rs_user.last", &Self::last).with_description("Out of the nested table."),
        field("mews_rs_user.sum", &Self::sum).with_description("Of the hits of all entries."),
        field("mews_rs_user.comm", &Self::comm).with_description("Of the event's thread."),
    ];
}

impl User {
    fn count(&self, req: &ExtractRequest<Self>) -> Result<Count, Error> {
        let key = req.event.event_number() as u64 % KEYS;
        self.counts.get_entry(req.table_reader, &key)
    }

    fn hits(&mut self, req: ExtractRequest<Self>) -> Result<u64, Error> {
        self.count(&req)?.get_hits(req.table_reader)
    }

    fn seen(&mut self, req: ExtractRequest<Self>) -> Result<u64, Error> {
        self.count(&req)?.get_seen(req.table_reader)
    }

    fn last(&mut self, req: ExtractRequest<Self>) -> Result<u64, Error> {
        let nested = self.count(&req)?.get_nested_by_key(req.table_reader, &0)?;
        nested.get_last(req.table_reader)
    }

    fn sum(&mut self, req: ExtractRequest<Self>) -> Result<u64, Error> {
        let mut sum = 0;
        self.counts.iter_entries_mut(req.table_reader, |entry| {
            match entry.get_hits(req.table_reader) {
                Ok(hits) => sum += hits,
                Err(_) => return ControlFlow::Break(()),
            }
            ControlFlow::Continue(())
        })?;
        Ok(sum)
    }

    fn comm(&mut self, req: ExtractRequest<Self>) -> Result<CString, Error> {
        let tid = req.event.event_number() as i64;
        let thread = self.threads.get_entry(req.table_reader, &tid)?;
        Ok(thread.get_comm(req.table_reader)?.into())
    }
}

plugin!(User);
parse_plugin!(User);
extract_plugin!(User);
