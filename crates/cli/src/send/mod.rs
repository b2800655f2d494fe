//! From prepared parts to a request, and from an answer to what it cost.

mod outgoing;
mod record;
mod upload;
mod usage;

pub(crate) use outgoing::Outgoing;
pub(crate) use record::append;
pub(crate) use upload::{Uploads, report_event};
pub(crate) use usage::{Comparison, Expected, Pair, request_extra, signed};
