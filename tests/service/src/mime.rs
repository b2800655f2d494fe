use crate::{refusal::Refusal, route::Platform, usage::Modality};

const IMAGES: &[&str] = &["image/png", "image/jpeg", "image/webp", "image/heic", "image/heif"];
/// Videos that both services take.
const VIDEOS: &[&str] = &[
    "video/mp4",
    "video/mpeg",
    "video/mov",
    "video/quicktime",
    "video/avi",
    "video/x-flv",
    "video/mpg",
    "video/webm",
    "video/wmv",
    "video/3gpp",
];
const DEVELOPER_AUDIO: &[&str] =
    &["audio/wav", "audio/mp3", "audio/mpeg", "audio/aiff", "audio/aac", "audio/ogg", "audio/flac"];
const VERTEX_VIDEOS: &[&str] = &["video/mpegs", "video/mpegps", "video/flv"];
const VERTEX_AUDIO: &[&str] = &[
    "audio/wav",
    "audio/mp3",
    "audio/mpeg",
    "audio/aac",
    "audio/x-aac",
    "audio/ogg",
    "audio/flac",
    "audio/m4a",
    "audio/mpga",
    "audio/mp4",
    "audio/pcm",
    "audio/webm",
    "audio/opus",
];
/// What the Developer API reads as plain text beside `text/*`.
const DEVELOPER_TEXTS: &[&str] =
    &["application/json", "application/xml", "application/rtf", "application/x-javascript"];

/// What a part of this type is counted as; an error when the service does not take the type.
/// Parameters such as `; codecs=opus` are left aside.
pub(crate) fn modality(mime_type: &str, platform: Platform) -> Result<Modality, Refusal> {
    let bare = mime_type.split(';').next().unwrap_or_default().trim();
    let developer = platform == Platform::Developer;
    let found = match bare {
        _ if IMAGES.contains(&bare) => Some(Modality::Image),
        _ if VIDEOS.contains(&bare) => Some(Modality::Video),
        _ if !developer && VERTEX_VIDEOS.contains(&bare) => Some(Modality::Video),
        _ if developer && DEVELOPER_AUDIO.contains(&bare) => Some(Modality::Audio),
        _ if !developer && VERTEX_AUDIO.contains(&bare) => Some(Modality::Audio),
        "application/pdf" => Some(Modality::Document),
        "text/plain" => Some(Modality::Text),
        _ if developer && bare.starts_with("text/") => Some(Modality::Text),
        _ if developer && DEVELOPER_TEXTS.contains(&bare) => Some(Modality::Text),
        _ => None,
    };
    found.ok_or_else(|| match platform {
        Platform::Developer => Refusal::invalid(format!("Unsupported MIME type: {mime_type}")),
        Platform::Vertex | Platform::Express => Refusal::invalid(format!(
            "Unable to submit request because it has a mimeType parameter with value {mime_type}, \
             which is not supported. Update the mimeType and try again."
        )),
    })
}

/// The type that Cloud Storage would have for an object of this name.
pub(crate) fn of_name(name: &str) -> &'static str {
    match name.rsplit('.').next().unwrap_or_default() {
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "mp4" => "video/mp4",
        "mp3" => "audio/mp3",
        "wav" => "audio/wav",
        "pdf" => "application/pdf",
        "txt" => "text/plain",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_service_takes_its_types() {
        let on = |mime_type, platform| modality(mime_type, platform).ok();
        for (mime_type, developer, vertex) in [
            ("image/jpeg", Some(Modality::Image), Some(Modality::Image)),
            ("image/jpg", None, None),
            ("image/svg+xml", None, None),
            ("application/octet-stream", None, None),
            ("audio/aiff", Some(Modality::Audio), None),
            ("audio/m4a", None, Some(Modality::Audio)),
            ("text/csv", Some(Modality::Text), None),
            ("application/pdf", Some(Modality::Document), Some(Modality::Document)),
            ("png", None, None),
        ] {
            assert_eq!(on(mime_type, Platform::Developer), developer, "{mime_type}");
            assert_eq!(on(mime_type, Platform::Vertex), vertex, "{mime_type}");
        }
    }
}
