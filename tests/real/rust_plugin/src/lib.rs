// SPDX-License-Identifier: Apache-2.0

//! A source and extractor that says the same thing every time, then ends.
//!
//! `open` takes the number of events as text (100 if there is none). Event `n`, counted
//! from 1, comes a millisecond after its predecessor and holds `Payload::of(n)` as JSON,
//! so that the json plugin can read it too.

mod fields;
mod payload;

use std::ffi::{CStr, CString};

use falco_plugin::anyhow::{anyhow, ensure, Context, Error};
use falco_plugin::base::{Json, Metric, MetricLabel, MetricType, MetricValue, Plugin};
use falco_plugin::event::events::Event;
use falco_plugin::event::PluginEvent;
use falco_plugin::schemars::JsonSchema;
use falco_plugin::serde::Deserialize;
use falco_plugin::source::{
    serialize_open_params, EventBatch, EventInput, OpenParam, ProgressInfo, SourcePlugin,
    SourcePluginInstance,
};
use falco_plugin::tables::TablesInput;
use falco_plugin::{extract_plugin, plugin, source_plugin, FailureReason};

use crate::payload::Payload;

const FIRST_EVENT_NS: u64 = 1_700_000_000_000_000_000;
const STEP_NS: u64 = 1_000_000;
const DEFAULT_EVENTS: u64 = 100;

#[derive(Deserialize, JsonSchema)]
#[serde(crate = "falco_plugin::serde", default, deny_unknown_fields)]
#[schemars(crate = "falco_plugin::schemars")]
pub struct Config {
    /// How many events one batch holds at most.
    #[schemars(range(min = 1))]
    batch: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self { batch: 16 }
    }
}

impl Config {
    fn checked(self) -> Result<Self, Error> {
        ensure!(self.batch > 0, "batch must be at least 1");
        Ok(self)
    }
}

pub struct MewsRs {
    config: Config,
    emitted: u64,
    open_params: CString,
}

impl Plugin for MewsRs {
    const NAME: &'static CStr = c"mews_rs";
    const PLUGIN_VERSION: &'static CStr = c"0.1.0";
    const DESCRIPTION: &'static CStr = c"Numbered events for the tests of mews";
    const CONTACT: &'static CStr = c"the mews project";
    type ConfigType = Json<Config>;

    fn new(_: Option<&TablesInput>, Json(config): Self::ConfigType) -> Result<Self, Error> {
        Ok(Self {
            config: config.checked()?,
            emitted: 0,
            open_params: CString::default(),
        })
    }

    fn set_config(&mut self, Json(config): Self::ConfigType) -> Result<(), Error> {
        self.config = config.checked()?;
        Ok(())
    }

    fn get_metrics(&mut self) -> impl IntoIterator<Item = Metric> {
        let label = MetricLabel::new(c"events_emitted", MetricType::Monotonic);
        [label.with_value(MetricValue::U64(self.emitted))]
    }
}

impl SourcePlugin for MewsRs {
    type Instance = Numbers;
    type Event<'a> = Event<PluginEvent<Payload>>;

    const EVENT_SOURCE: &'static CStr = c"mews_rs";
    const PLUGIN_ID: u32 = 997;

    fn list_open_params(&mut self) -> Result<&CStr, Error> {
        let params = [OpenParam::Item {
            value: "100",
            desc: "how many events to make",
        }];
        serialize_open_params(&params, &mut self.open_params)
    }

    fn open(&mut self, params: Option<&str>) -> Result<Numbers, Error> {
        let last = match params.map(str::trim) {
            None | Some("") => DEFAULT_EVENTS,
            Some(text) => text
                .parse()
                .with_context(|| format!("'{text}' is not a number of events"))?,
        };
        Ok(Numbers { done: 0, last })
    }

    fn event_to_string(&mut self, event: &EventInput<Self::Event<'_>>) -> Result<CString, Error> {
        let payload = event.event()?.params.event_data;
        Ok(CString::new(format!("{} {}", payload.num, payload.word))?)
    }
}

/// The events 1 to `last`, of which the first `done` have been given out.
pub struct Numbers {
    done: u64,
    last: u64,
}

impl SourcePluginInstance for Numbers {
    type Plugin = MewsRs;

    fn next_batch(&mut self, plugin: &mut MewsRs, batch: &mut EventBatch) -> Result<(), Error> {
        if self.done == self.last {
            return Err(anyhow!("no more events").context(FailureReason::Eof));
        }
        let until = self.done.saturating_add(plugin.config.batch).min(self.last);
        for num in self.done + 1..=until {
            let json = serde_json::to_vec(&Payload::of(num))?;
            let mut event = Self::plugin_event(&json);
            event.metadata.ts = FIRST_EVENT_NS + (num - 1) * STEP_NS;
            batch.add(event)?;
        }
        plugin.emitted += until - self.done;
        self.done = until;
        Ok(())
    }

    fn get_progress(&mut self) -> ProgressInfo<'_> {
        ProgressInfo {
            value: 100.0 * self.done as f64 / self.last.max(1) as f64,
            detail: None,
        }
    }
}

plugin!(MewsRs);
source_plugin!(MewsRs);
extract_plugin!(MewsRs);
