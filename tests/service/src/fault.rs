use std::collections::VecDeque;

use crate::call::Call;

/// What goes wrong with one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The body is read and thrown away, and this is the answer.
    Status {
        /// The HTTP status code.
        code: u16,
        /// The body, sent as it is.
        body: String,
        /// The `Content-Type`; none is sent when empty.
        content_type: String,
        /// More headers.
        headers: Vec<(String, String)>,
    },
    /// The connection is reset before the body is read, and nothing is answered.
    Reset,
    /// So many bytes of the body are read, then the connection is reset. An upload keeps what was
    /// read, rounded down to the keep step ([`set_keep_step`](crate::Service::set_keep_step)).
    ResetAfter {
        /// How many bytes of this request's body are read.
        received: u64,
    },
    /// The body is read, and nothing is ever answered.
    Silence,
    /// The work is done, then the connection is reset instead of an answer.
    LoseAnswer,
    /// On a piece of an upload, also the last: 200 and status `active`, but only so many bytes of
    /// it are counted, which `X-Goog-Upload-Size-Received` says.
    Short {
        /// How many bytes of this request's body are counted.
        received: u64,
    },
    /// The answer to the start of an upload names no upload URL.
    NoUploadUrl,
    /// The upload URL lies under this base (`https://host`) instead of the service's own.
    UploadUrlHost(String),
    /// From this request on, its upload is stuck: queries answer with the same offset, pieces are
    /// answered by 200 and status `active` but not counted.
    StuckQuery,
    /// The file of this request (got, or just uploaded) has failed processing, for good.
    FileFailed,
    /// The file got or named in the request is refused as another project's.
    FileForbidden,
    /// The answer is late by so many milliseconds. With 0 it leaves one call as it is, so that
    /// the next fault in the queue hits the call after it.
    DelayMs(u64),
    /// The stream goes wrong; only one with `alt=sse` does.
    Stream(StreamFault),
}

/// How a streamed answer differs from Google's own form: `data: ` events, ended by CRLF CRLF.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamFault {
    /// The connection closes after so many events, in the middle of the body.
    CutAfter(usize),
    /// The body ends properly, and no event had a finish reason.
    NoFinish,
    /// An error event comes in the place of the last event.
    ErrorEvent,
    /// A pretty-printed error, outside any event, comes in the place of the last event.
    BareError,
    /// Two bare errors run together, in the place of the last event.
    TwoObjects,
    /// The events are the items of one JSON array, as if `alt=sse` was lost.
    JsonArray,
    /// `data: [DONE]` follows the last event.
    Done,
    /// A comment line stands before each event, and a lone one between events.
    CommentLines,
    /// `data:` has no space behind it.
    NoSpace,
    /// Lines end with CR alone.
    CarriageReturn,
    /// Lines end with LF alone.
    LineFeed,
    /// Each event is pretty-printed, one `data:` line for each line.
    MultiLine,
    /// The body comes in network pieces of 1 to 7 bytes, which cut through characters.
    Dribble,
    /// The last event has the finish reason SAFETY and no content.
    SafetyEnd,
    /// The only event is a prompt feedback.
    PromptFeedbackOnly,
    /// One more event with an empty text and a thought signature bears the finish reason.
    ThoughtSignatureLast,
    /// The body is empty.
    Empty,
}

/// Faults that wait for their calls.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    queued: VecDeque<(Call, Fault)>,
    always: Vec<(Call, Fault)>,
}

impl Faults {
    pub(crate) fn push(&mut self, on: Call, fault: Fault) {
        self.queued.push_back((on, fault));
    }

    pub(crate) fn always(&mut self, on: Call, fault: Fault) {
        self.always.push((on, fault));
    }

    pub(crate) fn clear(&mut self) {
        self.queued.clear();
        self.always.clear();
    }

    /// The fault of a call: the first in the queue that hits it, else the last that always does.
    pub(crate) fn take(&mut self, call: Call) -> Option<Fault> {
        if let Some(at) = self.queued.iter().position(|(on, _)| on.hits(call)) {
            return self.queued.remove(at).map(|(_, fault)| fault);
        }
        self.always.iter().rev().find(|(on, _)| on.hits(call)).map(|(_, fault)| fault.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_queued_fault_hits_once_in_order() {
        let mut faults = Faults::default();
        faults.push(Call::Count, Fault::Reset);
        faults.push(Call::Any, Fault::Silence);
        faults.push(Call::Generate, Fault::LoseAnswer);
        assert_eq!(faults.take(Call::Generate), Some(Fault::Silence));
        assert_eq!(faults.take(Call::Generate), Some(Fault::LoseAnswer));
        assert_eq!(faults.take(Call::Generate), None);
        assert_eq!(faults.take(Call::Count), Some(Fault::Reset));
    }

    #[test]
    fn what_is_always_comes_behind_the_queue() {
        let mut faults = Faults::default();
        faults.always(Call::Any, Fault::Silence);
        faults.push(Call::Count, Fault::Reset);
        assert_eq!(faults.take(Call::Count), Some(Fault::Reset));
        assert_eq!(faults.take(Call::Count), Some(Fault::Silence));
        assert_eq!(faults.take(Call::Count), Some(Fault::Silence));
        faults.clear();
        assert_eq!(faults.take(Call::Count), None);
    }
}
