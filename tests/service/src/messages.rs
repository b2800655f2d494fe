//! The messages that requests may hold, as tables: what is not here is refused.

/// Which services know a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Known {
    Both,
    Developer,
    Vertex,
}

/// The shape of a field's value.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Text,
    Bytes,
    Bool,
    Int,
    Long,
    Float,
    Duration,
    Timestamp,
    /// An upper-case name out of a list, and the name of the list.
    Enum(&'static str, &'static [&'static str]),
    Message(Message),
    /// An object whose values are all of one kind.
    TextMap,
    SchemaMap,
    /// An object that is not looked into.
    Object,
    /// Anything.
    Any,
}

/// A field by its lowerCamelCase name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) repeated: bool,
    pub(crate) known: Known,
}

const fn one(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, repeated: false, known: Known::Both }
}

const fn many(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, repeated: true, known: Known::Both }
}

impl Field {
    const fn developer(self) -> Self {
        Self { known: Known::Developer, ..self }
    }

    const fn vertex(self) -> Self {
        Self { known: Known::Vertex, ..self }
    }
}

/// A message by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Message {
    GenerateContentRequest,
    CountTokensRequest,
    Content,
    Part,
    Blob,
    FileData,
    VideoMetadata,
    PartMediaResolution,
    DocumentMetadata,
    GenerationConfig,
    ThinkingConfig,
    Schema,
    SafetySetting,
    CreateFileRequest,
    File,
    RegisterFilesRequest,
    BatchGenerateContentRequest,
    GenerateContentBatch,
    BatchInputConfig,
    InlinedRequests,
    InlinedRequest,
    BatchPredictionJob,
    JobInputConfig,
    JobOutputConfig,
    GcsSource,
    GcsDestination,
    CachedContent,
    ChatRequest,
    ChatTurn,
}

impl Message {
    pub(crate) const fn fields(self) -> &'static [Field] {
        match self {
            Self::GenerateContentRequest => GENERATE_CONTENT_REQUEST,
            Self::CountTokensRequest => COUNT_TOKENS_REQUEST,
            Self::Content => CONTENT,
            Self::Part => PART,
            Self::Blob => BLOB,
            Self::FileData => FILE_DATA,
            Self::VideoMetadata => VIDEO_METADATA,
            Self::PartMediaResolution => PART_MEDIA_RESOLUTION,
            Self::DocumentMetadata => DOCUMENT_METADATA,
            Self::GenerationConfig => GENERATION_CONFIG,
            Self::ThinkingConfig => THINKING_CONFIG,
            Self::Schema => SCHEMA,
            Self::SafetySetting => SAFETY_SETTING,
            Self::CreateFileRequest => CREATE_FILE_REQUEST,
            Self::File => FILE,
            Self::RegisterFilesRequest => REGISTER_FILES_REQUEST,
            Self::BatchGenerateContentRequest => BATCH_GENERATE_CONTENT_REQUEST,
            Self::GenerateContentBatch => GENERATE_CONTENT_BATCH,
            Self::BatchInputConfig => BATCH_INPUT_CONFIG,
            Self::InlinedRequests => INLINED_REQUESTS,
            Self::InlinedRequest => INLINED_REQUEST,
            Self::BatchPredictionJob => BATCH_PREDICTION_JOB,
            Self::JobInputConfig => JOB_INPUT_CONFIG,
            Self::JobOutputConfig => JOB_OUTPUT_CONFIG,
            Self::GcsSource => GCS_SOURCE,
            Self::GcsDestination => GCS_DESTINATION,
            Self::CachedContent => CACHED_CONTENT,
            Self::ChatRequest => CHAT_REQUEST,
            Self::ChatTurn => CHAT_TURN,
        }
    }
}

const GENERATE_CONTENT_REQUEST: &[Field] = &[
    one("model", Kind::Text),
    many("contents", Kind::Message(Message::Content)),
    one("systemInstruction", Kind::Message(Message::Content)),
    one("generationConfig", Kind::Message(Message::GenerationConfig)),
    many("safetySettings", Kind::Message(Message::SafetySetting)),
    many("tools", Kind::Object),
    one("toolConfig", Kind::Object),
    one("cachedContent", Kind::Text),
    one("labels", Kind::TextMap),
    one("serviceTier", SERVICE_TIER).developer(),
    one("store", Kind::Bool).developer(),
    one("modelArmorConfig", Kind::Object).vertex(),
];

/// The wire spells the tiers in lower case, unlike every other enum.
const SERVICE_TIER: Kind =
    Kind::Enum("ServiceTier", &["unspecified", "flex", "standard", "priority"]);

const COUNT_TOKENS_REQUEST: &[Field] = &[
    one("model", Kind::Text),
    many("contents", Kind::Message(Message::Content)),
    one("generateContentRequest", Kind::Message(Message::GenerateContentRequest)).developer(),
    many("instances", Kind::Any).vertex(),
    one("systemInstruction", Kind::Message(Message::Content)).vertex(),
    one("generationConfig", Kind::Message(Message::GenerationConfig)).vertex(),
    many("tools", Kind::Object).vertex(),
];

const CONTENT: &[Field] = &[one("role", Kind::Text), many("parts", Kind::Message(Message::Part))];

/// The members of which a part has exactly one.
pub(crate) const PART_DATA: &[&str] = &[
    "text",
    "inlineData",
    "fileData",
    "functionCall",
    "functionResponse",
    "executableCode",
    "codeExecutionResult",
];

const PART: &[Field] = &[
    one("text", Kind::Text),
    one("inlineData", Kind::Message(Message::Blob)),
    one("fileData", Kind::Message(Message::FileData)),
    one("functionCall", Kind::Object),
    one("functionResponse", Kind::Object),
    one("executableCode", Kind::Object),
    one("codeExecutionResult", Kind::Object),
    one("videoMetadata", Kind::Message(Message::VideoMetadata)),
    one("mediaResolution", Kind::Message(Message::PartMediaResolution)),
    one("mediaProcessing", Kind::Enum("Part.MediaProcessing", &["STATIC", "AGENTIC"])),
    one("audioMetadata", Kind::Object).developer(),
    one("documentMetadata", Kind::Message(Message::DocumentMetadata)).developer(),
    one("spreadsheetMetadata", Kind::Object).developer(),
    one("partMetadata", Kind::Object).developer(),
    one("thought", Kind::Bool),
    one("thoughtSignature", Kind::Bytes),
];

const BLOB: &[Field] = &[
    one("mimeType", Kind::Text),
    one("data", Kind::Bytes),
    one("displayName", Kind::Text).vertex(),
];

const FILE_DATA: &[Field] = &[
    one("mimeType", Kind::Text),
    one("fileUri", Kind::Text),
    one("displayName", Kind::Text).vertex(),
];

const VIDEO_METADATA: &[Field] = &[
    one("startOffset", Kind::Duration),
    one("endOffset", Kind::Duration),
    one("fps", Kind::Float),
    many("contentLayers", Kind::Enum("ContentLayer", &["FRAMES", "AUDIO", "TRANSCRIPT"])),
];

const PART_MEDIA_RESOLUTION: &[Field] = &[
    one(
        "level",
        Kind::Enum(
            "PartMediaResolution.Level",
            &[
                "MEDIA_RESOLUTION_UNSPECIFIED",
                "MEDIA_RESOLUTION_LOW",
                "MEDIA_RESOLUTION_MEDIUM",
                "MEDIA_RESOLUTION_HIGH",
                "MEDIA_RESOLUTION_ULTRA_HIGH",
            ],
        ),
    ),
    one("numTokens", Kind::Int),
];

const DOCUMENT_METADATA: &[Field] = &[one("startPage", Kind::Int), one("endPage", Kind::Int)];

const GENERATION_CONFIG: &[Field] = &[
    one("temperature", Kind::Float),
    one("topP", Kind::Float),
    one("topK", Kind::Int),
    one("candidateCount", Kind::Int),
    one("maxOutputTokens", Kind::Int),
    many("stopSequences", Kind::Text),
    one("seed", Kind::Int),
    one("presencePenalty", Kind::Float),
    one("frequencyPenalty", Kind::Float),
    one("responseMimeType", Kind::Text),
    one("responseSchema", Kind::Message(Message::Schema)),
    one("responseJsonSchema", Kind::Any),
    many(
        "responseModalities",
        Kind::Enum("GenerationConfig.Modality", &["TEXT", "IMAGE", "AUDIO", "VIDEO"]),
    ),
    one("responseLogprobs", Kind::Bool),
    one("logprobs", Kind::Int),
    one("mediaResolution", CONFIG_MEDIA_RESOLUTION),
    one("speechConfig", Kind::Object),
    one("thinkingConfig", Kind::Message(Message::ThinkingConfig)),
    one("imageConfig", Kind::Object),
    one("audioTranscriptionConfig", Kind::Object),
    one("audioTimestamp", Kind::Bool).vertex(),
    one("routingConfig", Kind::Object).vertex(),
    one("modelConfig", Kind::Object).vertex(),
    one("responseFormat", Kind::Any).vertex(),
];

/// Unlike a part's, the whole request's resolution has no ultra high.
const CONFIG_MEDIA_RESOLUTION: Kind = Kind::Enum(
    "GenerationConfig.MediaResolution",
    &[
        "MEDIA_RESOLUTION_UNSPECIFIED",
        "MEDIA_RESOLUTION_LOW",
        "MEDIA_RESOLUTION_MEDIUM",
        "MEDIA_RESOLUTION_HIGH",
    ],
);

const THINKING_CONFIG: &[Field] = &[
    one("includeThoughts", Kind::Bool),
    one("thinkingBudget", Kind::Int),
    one(
        "thinkingLevel",
        Kind::Enum(
            "ThinkingConfig.ThinkingLevel",
            &["THINKING_LEVEL_UNSPECIFIED", "MINIMAL", "LOW", "MEDIUM", "HIGH"],
        ),
    ),
];

const SCHEMA: &[Field] = &[
    one(
        "type",
        Kind::Enum(
            "Type",
            &[
                "TYPE_UNSPECIFIED",
                "STRING",
                "NUMBER",
                "INTEGER",
                "BOOLEAN",
                "ARRAY",
                "OBJECT",
                "NULL",
            ],
        ),
    ),
    one("format", Kind::Text),
    one("title", Kind::Text),
    one("description", Kind::Text),
    one("nullable", Kind::Bool),
    many("enum", Kind::Text),
    one("items", Kind::Message(Message::Schema)),
    one("minItems", Kind::Long),
    one("maxItems", Kind::Long),
    one("properties", Kind::SchemaMap),
    many("required", Kind::Text),
    one("minProperties", Kind::Long),
    one("maxProperties", Kind::Long),
    one("minimum", Kind::Float),
    one("maximum", Kind::Float),
    one("minLength", Kind::Long),
    one("maxLength", Kind::Long),
    one("pattern", Kind::Text),
    one("example", Kind::Any),
    one("default", Kind::Any),
    many("anyOf", Kind::Message(Message::Schema)),
    many("propertyOrdering", Kind::Text),
    one("additionalProperties", Kind::Any).vertex(),
    one("ref", Kind::Text).vertex(),
    one("defs", Kind::SchemaMap).vertex(),
];

const SAFETY_SETTING: &[Field] = &[
    one("category", Kind::Enum("HarmCategory", HARM_CATEGORIES)),
    one(
        "threshold",
        Kind::Enum(
            "SafetySetting.HarmBlockThreshold",
            &[
                "HARM_BLOCK_THRESHOLD_UNSPECIFIED",
                "BLOCK_LOW_AND_ABOVE",
                "BLOCK_MEDIUM_AND_ABOVE",
                "BLOCK_ONLY_HIGH",
                "BLOCK_NONE",
                "OFF",
            ],
        ),
    ),
    one(
        "method",
        Kind::Enum(
            "SafetySetting.HarmBlockMethod",
            &["HARM_BLOCK_METHOD_UNSPECIFIED", "SEVERITY", "PROBABILITY"],
        ),
    )
    .vertex(),
];

/// The categories that only Vertex knows begin with [`VERTEX_HARM_PREFIX`].
const HARM_CATEGORIES: &[&str] = &[
    "HARM_CATEGORY_HARASSMENT",
    "HARM_CATEGORY_HATE_SPEECH",
    "HARM_CATEGORY_SEXUALLY_EXPLICIT",
    "HARM_CATEGORY_DANGEROUS_CONTENT",
    "HARM_CATEGORY_CIVIC_INTEGRITY",
    "HARM_CATEGORY_JAILBREAK",
    "HARM_CATEGORY_IMAGE_HATE",
    "HARM_CATEGORY_IMAGE_DANGEROUS_CONTENT",
    "HARM_CATEGORY_IMAGE_HARASSMENT",
    "HARM_CATEGORY_IMAGE_SEXUALLY_EXPLICIT",
];

/// How the categories begin that the Developer API does not know.
pub(crate) const VERTEX_HARM_PREFIX: &str = "HARM_CATEGORY_IMAGE_";

const CREATE_FILE_REQUEST: &[Field] = &[one("file", Kind::Message(Message::File))];

const REGISTER_FILES_REQUEST: &[Field] = &[many("uris", Kind::Text)];

const INLINED_REQUESTS: &[Field] = &[many("requests", Kind::Message(Message::InlinedRequest))];

const GCS_SOURCE: &[Field] = &[many("uris", Kind::Text)];

const GCS_DESTINATION: &[Field] = &[one("outputUriPrefix", Kind::Text)];

const FILE: &[Field] = &[
    one("name", Kind::Text),
    one("displayName", Kind::Text),
    one("mimeType", Kind::Text),
    one("sizeBytes", Kind::Long),
    one("sha256Hash", Kind::Bytes),
    one("createTime", Kind::Timestamp),
    one("updateTime", Kind::Timestamp),
    one("expirationTime", Kind::Timestamp),
    one("uri", Kind::Text),
    one("downloadUri", Kind::Text),
    one(
        "state",
        Kind::Enum("File.State", &["STATE_UNSPECIFIED", "PROCESSING", "ACTIVE", "FAILED"]),
    ),
    one("source", Kind::Enum("File.Source", &["UPLOADED", "GENERATED", "REGISTERED"])),
];

const BATCH_GENERATE_CONTENT_REQUEST: &[Field] =
    &[one("model", Kind::Text), one("batch", Kind::Message(Message::GenerateContentBatch))];

const GENERATE_CONTENT_BATCH: &[Field] = &[
    one("model", Kind::Text),
    one("displayName", Kind::Text),
    one("inputConfig", Kind::Message(Message::BatchInputConfig)),
    one("priority", Kind::Long),
];

const BATCH_INPUT_CONFIG: &[Field] =
    &[one("fileName", Kind::Text), one("requests", Kind::Message(Message::InlinedRequests))];

const INLINED_REQUEST: &[Field] = &[
    one("request", Kind::Message(Message::GenerateContentRequest)),
    one("metadata", Kind::Object),
];

const BATCH_PREDICTION_JOB: &[Field] = &[
    one("displayName", Kind::Text),
    one("model", Kind::Text),
    one("inputConfig", Kind::Message(Message::JobInputConfig)),
    one("outputConfig", Kind::Message(Message::JobOutputConfig)),
    one("labels", Kind::TextMap),
];

const JOB_INPUT_CONFIG: &[Field] = &[
    one("instancesFormat", Kind::Text),
    one("gcsSource", Kind::Message(Message::GcsSource)),
    one("bigquerySource", Kind::Object),
];

const JOB_OUTPUT_CONFIG: &[Field] = &[
    one("predictionsFormat", Kind::Text),
    one("gcsDestination", Kind::Message(Message::GcsDestination)),
    one("bigqueryDestination", Kind::Object),
];

const CACHED_CONTENT: &[Field] = &[
    one("name", Kind::Text),
    one("model", Kind::Text),
    one("displayName", Kind::Text),
    many("contents", Kind::Message(Message::Content)),
    one("systemInstruction", Kind::Message(Message::Content)),
    many("tools", Kind::Object),
    one("toolConfig", Kind::Object),
    one("ttl", Kind::Duration),
    one("expireTime", Kind::Timestamp),
    one("encryptionSpec", Kind::Object).vertex(),
];

/// OpenAI's names are snake_case; the lowerCamelCase spellings here take them, too.
const CHAT_REQUEST: &[Field] = &[
    one("model", Kind::Text),
    many("messages", Kind::Message(Message::ChatTurn)),
    one("temperature", Kind::Float),
    one("topP", Kind::Float),
    one("n", Kind::Int),
    one("stop", Kind::Any),
    one("maxTokens", Kind::Int),
    one("maxCompletionTokens", Kind::Int),
    one("presencePenalty", Kind::Float),
    one("frequencyPenalty", Kind::Float),
    one("seed", Kind::Int),
    one("responseFormat", Kind::Object),
    one("reasoningEffort", Kind::Text),
    one("stream", Kind::Bool),
    one("streamOptions", Kind::Object),
    many("tools", Kind::Object),
    one("toolChoice", Kind::Any),
    one("extraBody", Kind::Object),
];

const CHAT_TURN: &[Field] = &[
    one("role", Kind::Text),
    one("content", Kind::Any),
    one("name", Kind::Text),
    one("toolCalls", Kind::Any),
    one("toolCallId", Kind::Text),
];
