// SPDX-License-Identifier: Apache-2.0

//! One field for each shape a value can have: number, text, list, indexed, keyed, yes or
//! no, address.
//!
//! That is more than variety. The SDK (0.5.1) frees numbers, booleans and lists before it
//! has filled in the next field of the same call, which then overwrites them. A host that
//! asks for one field at a time never sees it; one that asks for several gets wrong values
//! from this plugin.

use std::ffi::{CStr, CString};
use std::net::{IpAddr, Ipv4Addr};

use falco_plugin::anyhow::Error;
use falco_plugin::event::events::Event;
use falco_plugin::event::PluginEvent;
use falco_plugin::extract::{field, ExtractFieldInfo, ExtractPlugin, ExtractRequest};

use crate::payload::Payload;
use crate::MewsRs;

impl ExtractPlugin for MewsRs {
    type Event<'a> = Event<PluginEvent<Payload>>;
    type ExtractContext = Option<Payload>;

    const EXTRACT_FIELDS: &'static [ExtractFieldInfo<Self>] = &[
        field("mews_rs.num", &Self::num).with_description("The event's number, from 1."),
        field("mews_rs.word", &Self::word).with_description("One of five words, in turn."),
        field("mews_rs.divisors", &Self::divisors)
            .with_description("Which of 2, 3 and 5 divide the number."),
        field("mews_rs.divisor", &Self::divisor)
            .with_description("One of mews_rs.divisors by its position, from 0."),
        field("mews_rs.attr", &Self::attr)
            .with_description("The attribute of that name: 'word' or 'parity'."),
        field("mews_rs.even", &Self::even).with_description("Whether the number is even."),
        field("mews_rs.addr", &Self::addr)
            .with_description("10.0.0.0 plus the low 16 bits of the number."),
    ];
}

/// Parses the event once a call, however many fields that asks for.
fn payload<'c>(req: ExtractRequest<'c, '_, '_, '_, MewsRs>) -> Result<&'c Payload, Error> {
    let parsed = match req.context.take() {
        Some(parsed) => parsed,
        None => req.event.event()?.params.event_data,
    };
    Ok(req.context.insert(parsed))
}

impl MewsRs {
    fn num(&mut self, req: ExtractRequest<Self>) -> Result<u64, Error> {
        Ok(payload(req)?.num)
    }

    fn word(&mut self, req: ExtractRequest<Self>) -> Result<CString, Error> {
        Ok(CString::new(payload(req)?.word.as_str())?)
    }

    fn divisors(&mut self, req: ExtractRequest<Self>) -> Result<Vec<CString>, Error> {
        let divisors = payload(req)?.divisors.iter();
        Ok(divisors
            .map(|d| CString::new(d.as_str()))
            .collect::<Result<_, _>>()?)
    }

    fn divisor(&mut self, req: ExtractRequest<Self>, index: u64) -> Result<Option<CString>, Error> {
        let divisor = payload(req)?.divisors.get(index as usize);
        Ok(divisor.map(|d| CString::new(d.as_str())).transpose()?)
    }

    fn attr(&mut self, req: ExtractRequest<Self>, key: &CStr) -> Result<Option<CString>, Error> {
        let payload = payload(req)?;
        let value = match key.to_bytes() {
            b"word" => payload.word.as_str(),
            b"parity" if payload.is_even() => "even",
            b"parity" => "odd",
            _ => return Ok(None),
        };
        Ok(Some(CString::new(value)?))
    }

    fn even(&mut self, req: ExtractRequest<Self>) -> Result<bool, Error> {
        Ok(payload(req)?.is_even())
    }

    fn addr(&mut self, req: ExtractRequest<Self>) -> Result<IpAddr, Error> {
        let [high, low] = (payload(req)?.num as u16).to_be_bytes();
        Ok(IpAddr::V4(Ipv4Addr::new(10, 0, high, low)))
    }
}
