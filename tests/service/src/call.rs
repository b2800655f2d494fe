/// What a request asks for, as faults and records name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Call {
    /// `POST …:generateContent`.
    Generate,
    /// `POST …:streamGenerateContent`.
    Stream,
    /// `POST …:countTokens`.
    Count,
    /// `GET …/models` and `GET …/models/{model}`.
    Model,
    /// The first request of a resumable upload, and the only one of a simple upload.
    UploadStart,
    /// A piece of a resumable upload that is not the last: command `upload`.
    UploadChunk,
    /// The end of a resumable upload: command `upload, finalize` or `finalize`.
    UploadFinalize,
    /// How much of an upload was received: command `query`.
    UploadQuery,
    /// `GET …/files/{id}`.
    FileGet,
    /// `GET …/files`.
    FileList,
    /// `DELETE …/files/{id}`.
    FileDelete,
    /// `POST …/files:register`.
    Register,
    /// Everything of batches: create, get, list, cancel, delete.
    Batch,
    /// Everything of cached contents.
    Cache,
    /// `POST …/chat/completions`.
    Chat,
    /// In a fault: every request. In a record: a request of no other kind.
    Any,
}

impl Call {
    /// Whether a fault set on `self` hits a request of kind `request`.
    pub(crate) fn hits(self, request: Self) -> bool {
        self == Self::Any || self == request
    }
}
