//! Each fault does what it says.

use std::{
    io::{ErrorKind, Write},
    net::TcpStream,
    time::{Duration, Instant},
};

use mediaprep_service::{Call, Fault, Service, StreamFault};
use serde_json::{Value, json};

use crate::{
    basics::{GENERATE, digest, piece, start, text_request},
    client::{Answer, Request},
};

const STREAM: &str = "/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse";
const KIB: usize = 1 << 10;
const MIB: usize = 1 << 20;

fn generate() -> Request {
    Request::new("POST", GENERATE).key().json(&text_request())
}

fn query(url: &str) -> Request {
    Request::new("POST", url).header("x-goog-upload-command", "query")
}

fn received(answer: &Answer) -> (Option<&str>, Option<&str>) {
    (answer.header("x-goog-upload-status"), answer.header("x-goog-upload-size-received"))
}

/// Bytes in which no piece is like another.
fn bytes(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at * 7 + at / 251 * 13).to_le_bytes()[0]).collect()
}

#[test]
fn a_status_is_answered_once_and_always() {
    let service = Service::start().unwrap();
    service.push_fault(Call::Generate, Fault::overloaded());
    service.always(Call::Count, Fault::empty_503());
    let refused = generate().send(&service);
    assert_eq!((refused.status, &refused.json()["error"]["status"]), (503, &json!("UNAVAILABLE")));
    assert_eq!(generate().send(&service).status, 200);
    let count =
        Request::new("POST", "/v1beta/models/gemini-x:countTokens").key().json(&text_request());
    for _ in 0..3 {
        let answer = count.send(&service);
        assert_eq!(
            (answer.status, answer.body.len(), answer.header("content-type")),
            (503, 0, None)
        );
    }
    service.clear_faults();
    assert_eq!(count.send(&service).status, 200);
    let answered: Vec<Option<u16>> = service.requests().iter().map(|one| one.status).collect();
    let code = Some;
    assert_eq!(answered, [code(503), code(200), code(503), code(503), code(503), code(200)]);
    assert!(service.refusals().is_empty());
}

#[test]
fn the_standard_errors_have_their_details() {
    let service = Service::start().unwrap();
    let answer = |fault: Fault| {
        service.push_fault(Call::Any, fault);
        generate().send(&service)
    };
    let minute = answer(Fault::quota_per_minute(Some("45.837906927s")));
    let error = minute.json()["error"].take();
    assert_eq!((minute.status, &error["status"]), (429, &json!("RESOURCE_EXHAUSTED")));
    let violation = &error["details"][0]["violations"][0];
    assert_eq!(violation["quotaId"], "GenerateContentInputTokensPerModelPerMinute-FreeTier");
    assert_eq!(violation["quotaValue"], "250000");
    assert_eq!(error["details"][2]["retryDelay"], "45.837906927s");
    assert!(minute.header("retry-after").is_none());
    let error = answer(Fault::quota_per_minute(None)).json()["error"].take();
    assert_eq!(error["details"].as_array().unwrap().len(), 2);
    let day = answer(Fault::quota_per_day()).json();
    let id = &day["error"]["details"][0]["violations"][0]["quotaId"];
    assert!(id.as_str().unwrap().contains("PerDay"));
    assert!(answer(Fault::quota_without_details()).json()["error"].get("details").is_none());
    let key = answer(Fault::invalid_key());
    assert_eq!(
        (key.status, &key.json()["error"]["details"][0]["reason"]),
        (400, &json!("API_KEY_INVALID"))
    );
    assert!(!key.text().contains("FAKE-API-KEY"));
    let inactive = answer(Fault::not_active()).json();
    assert_eq!(inactive["error"]["status"], "FAILED_PRECONDITION");
    assert_eq!(answer(Fault::expired_token()).status, 401);
    assert_eq!(answer(Fault::internal()).json()["error"]["status"], "INTERNAL");
    let array = answer(Fault::overloaded().as_array()).json();
    assert_eq!(array.as_array().unwrap().len(), 1);
    assert_eq!(array[0], answer(Fault::overloaded()).json());
    let page = answer(Fault::html());
    assert_eq!((page.status, page.header("content-type")), (502, Some("text/html; charset=UTF-8")));
    assert!(page.text().starts_with("<!DOCTYPE html>"));
}

#[test]
fn a_reset_is_an_rst_without_an_answer() {
    let service = Service::start().unwrap();
    service.push_fault(Call::Generate, Fault::Reset);
    let error = generate().try_send(&service).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    let record = &service.requests()[0];
    assert_eq!((record.status, record.body_length), (None, 0));
    service.push_fault(Call::Generate, Fault::ResetAfter { received: 10 });
    let error = generate().try_send(&service).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    assert_eq!(generate().send(&service).status, 200);
}

#[test]
fn silence_never_answers() {
    let service = Service::start().unwrap();
    service.push_fault(Call::Generate, Fault::Silence);
    let error = generate().try_send(&service).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{error}");
    let record = &service.requests()[0];
    assert_eq!(record.body_length, text_request().to_string().len() as u64);
    assert_eq!(record.status, None);
}

#[test]
fn a_delay_answers_late_and_one_of_nothing_skips_a_call() {
    let service = Service::start().unwrap();
    service.push_fault(Call::Generate, Fault::DelayMs(200));
    let begun = Instant::now();
    assert_eq!(generate().send(&service).status, 200);
    assert!(begun.elapsed() >= Duration::from_millis(200));
    service.push_fault(Call::Generate, Fault::DelayMs(0));
    service.push_fault(Call::Generate, Fault::overloaded());
    assert_eq!(generate().send(&service).status, 200);
    assert_eq!(generate().send(&service).status, 503);
}

#[test]
fn a_piece_that_is_cut_is_kept_in_whole_steps() {
    let service = Service::start().unwrap();
    service.set_granularity(MIB as u64);
    let file = bytes(2 * MIB);
    let url = start(&service, 2 * MIB as u64, &json!({}));
    service.push_fault(Call::UploadChunk, Fault::ResetAfter { received: 600_000 });
    let error = piece(&url, "upload", 0, &file[..MIB]).try_send(&service).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    assert_eq!(service.bytes_received(), 600_000);
    let kept = 512 * KIB;
    assert_eq!(received(&query(&url).send(&service)), (Some("active"), Some("524288")));
    let next = piece(&url, "upload", kept as u64, &file[kept..kept + MIB]).send(&service);
    assert_eq!(received(&next), (Some("active"), Some("1572864")));
    service.push_fault(Call::UploadFinalize, Fault::ResetAfter { received: 300_000 });
    let at = kept + MIB;
    piece(&url, "upload, finalize", at as u64, &file[at..]).try_send(&service).unwrap_err();
    let at = at + 256 * KIB;
    assert_eq!(
        received(&query(&url).send(&service)),
        (Some("active"), Some(at.to_string().as_str()))
    );
    let last = piece(&url, "upload, finalize", at as u64, &file[at..]).send(&service);
    assert_eq!(last.status, 200, "{}", last.text());
    assert_eq!(service.files()[0].sha256, digest(&file));
}

#[test]
fn a_client_that_goes_away_leaves_whole_steps() {
    let service = Service::start().unwrap();
    service.set_granularity(MIB as u64);
    let file = bytes(MIB);
    let url = start(&service, MIB as u64, &json!({}));
    let address = service.base_url().strip_prefix("http://").unwrap().to_owned();
    let mut stream = TcpStream::connect(address).unwrap();
    let head = format!(
        "POST {url} HTTP/1.1\r\nhost: x\r\nx-goog-upload-command: upload, finalize\r\n\
         x-goog-upload-offset: 0\r\ncontent-length: {MIB}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(&file[..600_000]).unwrap();
    let begun = Instant::now();
    while service.bytes_received() < 600_000 && begun.elapsed() < Duration::from_secs(5) {
        std::thread::sleep(Duration::from_millis(5));
    }
    drop(stream);
    assert_eq!(received(&query(&url).send(&service)), (Some("active"), Some("524288")));
    let last = piece(&url, "upload, finalize", 524_288, &file[524_288..]).send(&service);
    assert_eq!((last.status, service.files()[0].sha256.as_str()), (200, digest(&file).as_str()));
    assert!(service.refusals().is_empty());
}

#[test]
fn a_lost_answer_leaves_the_work_done() {
    let service = Service::start().unwrap();
    let url = start(&service, 3, &json!({}));
    service.push_fault(Call::UploadFinalize, Fault::LoseAnswer);
    piece(&url, "upload, finalize", 0, b"abc").try_send(&service).unwrap_err();
    let answer = query(&url).send(&service);
    assert_eq!(answer.header("x-goog-upload-status"), Some("final"));
    assert_eq!(answer.json()["file"]["sizeBytes"], "3");
    assert_eq!(service.files().len(), 1);
}

#[test]
fn a_short_receipt_is_a_200_that_counts_less() {
    let service = Service::start().unwrap();
    service.set_granularity(4);
    let url = start(&service, 10, &json!({}));
    service.push_fault(Call::UploadChunk, Fault::Short { received: 3 });
    let answer = piece(&url, "upload", 0, b"01234567").send(&service);
    assert_eq!((answer.status, received(&answer)), (200, (Some("active"), Some("3"))));
    let refused = piece(&url, "upload, finalize", 8, b"89").send(&service);
    assert_eq!(refused.status, 400);
    service.push_fault(Call::UploadFinalize, Fault::Short { received: 5 });
    let answer = piece(&url, "upload, finalize", 3, b"3456789").send(&service);
    assert_eq!((answer.status, received(&answer)), (200, (Some("active"), Some("8"))));
    assert_eq!(piece(&url, "upload, finalize", 8, b"89").send(&service).status, 200);
    assert_eq!(service.files()[0].sha256, digest(b"0123456789"));
}

#[test]
fn the_upload_url_is_missing_or_elsewhere() {
    let service = Service::start().unwrap();
    let request = Request::new("POST", "/upload/v1beta/files")
        .key()
        .header("x-goog-upload-protocol", "resumable")
        .header("x-goog-upload-command", "start")
        .header("x-goog-upload-header-content-type", "image/png")
        .json(&json!({"file": {}}));
    service.push_fault(Call::UploadStart, Fault::NoUploadUrl);
    let answer = request.send(&service);
    assert_eq!((answer.status, answer.header("x-goog-upload-url")), (200, None));
    let host = "https://generativelanguage.googleapis.com";
    service.push_fault(Call::UploadStart, Fault::UploadUrlHost(host.into()));
    let answer = request.send(&service);
    let url = answer.header("x-goog-upload-url").unwrap();
    let path = url.strip_prefix(host).unwrap();
    assert_eq!(received(&query(path).send(&service)), (Some("active"), Some("0")));
}

#[test]
fn a_stuck_upload_never_moves() {
    let service = Service::start().unwrap();
    service.set_granularity(4);
    let url = start(&service, 8, &json!({}));
    assert_eq!(piece(&url, "upload", 0, b"0123").send(&service).status, 200);
    service.push_fault(Call::UploadFinalize, Fault::StuckQuery);
    for _ in 0..2 {
        let answer = piece(&url, "upload, finalize", 4, b"4567").send(&service);
        assert_eq!((answer.status, received(&answer)), (200, (Some("active"), Some("4"))));
        assert_eq!(received(&query(&url).send(&service)), (Some("active"), Some("4")));
    }
    assert!(service.files().is_empty());
}

#[test]
fn files_fail_and_are_forbidden() {
    let service = Service::start().unwrap();
    let upload = |name: &str| {
        let url = start(&service, 1, &json!({"name": name}));
        piece(&url, "upload, finalize", 0, b"a").send(&service)
    };
    service.push_fault(Call::UploadFinalize, Fault::FileFailed);
    assert_eq!(upload("files/a").json()["file"]["state"], "FAILED");
    upload("files/b");
    let get = Request::new("GET", "/v1beta/files/b").key();
    service.push_fault(Call::FileGet, Fault::FileFailed);
    let failed = get.send(&service).json();
    assert_eq!((&failed["state"], &failed["error"]["code"]), (&json!("FAILED"), &json!(13)));
    assert_eq!(get.send(&service).json()["state"], "FAILED");
    upload("files/c");
    let get = Request::new("GET", "/v1beta/files/c").key();
    service.push_fault(Call::FileGet, Fault::FileForbidden);
    let refused = get.send(&service);
    assert_eq!(refused.status, 403);
    assert!(refused.message().contains("the File c or it may not exist"));
    let uri = get.send(&service).json()["uri"].take();
    let used = json!({"contents": [{"parts": [{"fileData": {"fileUri": uri}}]}]});
    service.push_fault(Call::Generate, Fault::FileForbidden);
    let generate = Request::new("POST", GENERATE).key().json(&used);
    assert_eq!((generate.send(&service).status, generate.send(&service).status), (403, 200));
    assert!(service.refusals().is_empty());
}

#[test]
fn uploads_and_files_can_be_forgotten() {
    let service = Service::start().unwrap();
    let url = start(&service, 1, &json!({"name": "files/a"}));
    piece(&url, "upload, finalize", 0, b"a").send(&service);
    assert!(service.forget_file("files/a") && !service.forget_file("files/a"));
    assert_eq!(Request::new("GET", "/v1beta/files/a").key().send(&service).status, 403);
    let url = start(&service, 1, &json!({}));
    service.forget_uploads();
    assert_eq!(query(&url).send(&service).status, 404);
}

fn stream(fault: StreamFault) -> Answer {
    let service = Service::start().unwrap();
    service.push_fault(Call::Stream, Fault::Stream(fault));
    Request::new("POST", STREAM).key().json(&text_request()).send(&service)
}

/// The events of a body whose lines end in `end` and whose data stands behind `field`.
fn events_by(text: &str, end: &str, field: &str) -> Vec<Value> {
    let blank = end.repeat(2);
    let events = text.strip_suffix(&blank).unwrap().split(&blank);
    let data = |event: &str| {
        let lines = event.split(end).map(|line| line.strip_prefix(field).unwrap());
        lines.collect::<Vec<_>>().join("\n")
    };
    events.map(|event| serde_json::from_str(&data(event)).unwrap()).collect()
}

fn events(text: &str) -> Vec<Value> {
    events_by(text, "\r\n", "data: ")
}

fn text_of(events: &[Value]) -> String {
    let texts = events
        .iter()
        .filter_map(|event| event["candidates"][0]["content"]["parts"][0]["text"].as_str());
    texts.collect()
}

fn reasons(events: &[Value]) -> Vec<&str> {
    events.iter().filter_map(|event| event["candidates"][0]["finishReason"].as_str()).collect()
}

const TEXT: &str = "A red square — ein rotes Quadrat, 红色的正方形 🟥.";

#[test]
fn a_stream_is_cut_after_its_events() {
    let answer = stream(StreamFault::CutAfter(2));
    assert!(answer.cut);
    assert_eq!((answer.status, answer.chunks.len()), (200, 2));
    assert_eq!(text_of(&events(&answer.text())), "A red square — ein rotes Quadrat, ");
    let answer = stream(StreamFault::CutAfter(0));
    assert!(answer.cut && answer.body.is_empty());
}

#[test]
fn a_stream_ends_without_a_reason_or_with_another() {
    let all = events(&stream(StreamFault::NoFinish).text());
    assert_eq!((text_of(&all).as_str(), reasons(&all)), (TEXT, vec![]));
    let all = events(&stream(StreamFault::SafetyEnd).text());
    assert_eq!((all.len(), reasons(&all)), (3, vec!["SAFETY"]));
    assert!(all[2]["candidates"][0].get("content").is_none());
    let all = events(&stream(StreamFault::ThoughtSignatureLast).text());
    assert_eq!((all.len(), text_of(&all).as_str(), reasons(&all)), (4, TEXT, vec!["STOP"]));
    let last = &all[3]["candidates"][0]["content"]["parts"][0];
    assert!(last["text"] == "" && last["thoughtSignature"].is_string());
    let all = events(&stream(StreamFault::PromptFeedbackOnly).text());
    assert_eq!(all, [json!({"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}})]);
    let answer = stream(StreamFault::Empty);
    assert!(answer.status == 200 && answer.body.is_empty() && !answer.cut);
}

#[test]
fn a_stream_breaks_off_with_an_error() {
    let all = events(&stream(StreamFault::ErrorEvent).text());
    assert_eq!((all.len(), &all[2]["error"]["code"]), (3, &json!(503)));
    for (fault, errors) in [(StreamFault::BareError, 1), (StreamFault::TwoObjects, 2)] {
        let answer = stream(fault);
        let text = answer.text();
        let at = text.find("\r\n\r\n{\n").unwrap() + 4;
        assert_eq!(events(&text[..at]).len(), 2);
        let bare: Vec<Value> = serde_json::Deserializer::from_str(&text[at..])
            .into_iter()
            .map(Result::unwrap)
            .collect();
        assert_eq!(bare.len(), errors);
        assert!(bare.iter().all(|one| one["error"]["status"] == "UNAVAILABLE") && !answer.cut);
    }
}

#[test]
fn a_stream_has_another_form() {
    let array = stream(StreamFault::JsonArray);
    assert_eq!(array.header("content-type"), Some("application/json; charset=UTF-8"));
    assert_eq!(text_of(array.json().as_array().unwrap()), TEXT);
    let done = stream(StreamFault::Done).text();
    assert_eq!(text_of(&events(done.strip_suffix("data: [DONE]\r\n\r\n").unwrap())), TEXT);
    for (fault, end, field) in [
        (StreamFault::NoSpace, "\r\n", "data:"),
        (StreamFault::LineFeed, "\n", "data: "),
        (StreamFault::CarriageReturn, "\r", "data: "),
        (StreamFault::MultiLine, "\r\n", "data: "),
    ] {
        let text = stream(fault).text();
        assert_eq!(text_of(&events_by(&text, end, field)), TEXT, "{fault:?}");
        assert_eq!(text.contains("\r\n"), end == "\r\n", "{fault:?}");
        assert_eq!(text.matches("data:").count() > 3, fault == StreamFault::MultiLine);
        assert_eq!(text.contains("data:{"), fault == StreamFault::NoSpace, "{fault:?}");
    }
    let commented = stream(StreamFault::CommentLines).text();
    assert!(commented.starts_with(": keep-alive\r\n\r\n: the next event\r\ndata: {"));
    let bare: String = commented
        .split_inclusive("\r\n")
        .filter(|line| !line.starts_with(':'))
        .collect::<String>()
        .replace("\r\n\r\n\r\n", "\r\n\r\n");
    assert_eq!(text_of(&events(bare.trim_start())), TEXT);
}

#[test]
fn a_dribbling_stream_cuts_through_characters() {
    let answer = stream(StreamFault::Dribble);
    assert!(answer.chunks.iter().all(|chunk| (1..=7).contains(&chunk.len())));
    assert!(answer.chunks.iter().any(|chunk| std::str::from_utf8(chunk).is_err()));
    assert_eq!(text_of(&events(&answer.text())), TEXT);
}
