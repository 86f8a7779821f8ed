// SPDX-License-Identifier: Apache-2.0

use falco_plugin::event::fields::{FromBytes, FromBytesError};
use falco_plugin::event::EventSource;
use falco_plugin::serde::{Deserialize, Serialize};

const WORDS: [&str; 5] = ["alder", "birch", "cedar", "dogwood", "elm"];

/// What event `num` holds. As JSON: `{"num":6,"word":"alder","divisors":["2","3"]}`.
#[derive(Debug, Deserialize, Serialize)]
#[serde(crate = "falco_plugin::serde")]
pub struct Payload {
    pub num: u64,
    /// The words take turns: events 1, 6, 11 and so on are "alder".
    pub word: String,
    /// Which of 2, 3 and 5 divide `num`; empty for 1, 7, 11 and so on.
    pub divisors: Vec<String>,
}

impl EventSource for Payload {
    const SOURCE: Option<&'static str> = Some("mews_rs");
}

impl FromBytes<'_> for Payload {
    fn from_bytes(buf: &mut &[u8]) -> Result<Self, FromBytesError> {
        // Taken, because the SDK refuses an event of which anything is left unread. (Its
        // own JsonPayload leaves everything, and so cannot be read back in 0.5.1.)
        let json = std::mem::take(buf);
        serde_json::from_slice(json).map_err(|e| FromBytesError::Other(e.into()))
    }
}

impl Payload {
    /// `num` counts from 1.
    pub fn of(num: u64) -> Self {
        Self {
            num,
            word: WORDS[((num - 1) % WORDS.len() as u64) as usize].to_owned(),
            divisors: [2u64, 3, 5]
                .iter()
                .filter(|d| num % *d == 0)
                .map(|d| d.to_string())
                .collect(),
        }
    }

    pub fn is_even(&self) -> bool {
        self.num % 2 == 0
    }
}
