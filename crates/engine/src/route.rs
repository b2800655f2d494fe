//! How an item travels: inside the request, by upload, or by address.
//!
//! Items go inside the request, in sending order, while its encoded body stays within three
//! quarters of the service's limit; the rest is uploaded (Developer API) or named by its Cloud
//! Storage address (Vertex). Long or large videos never go inline on the Developer API. The
//! quarter leaves room for text and for whatever else the caller adds.

use mediaprep_media::{Duration, Modality};
use mediaprep_parts::RequestLength;
use mediaprep_tokens::{Route, Service, Way};

use crate::options::{PlanOptions, RouteChoice};
use crate::plan::encoded_length;
use crate::probe::Probed;
use crate::rules::{RuleSet, SentAs};
use crate::service;

/// A video above this many bytes is uploaded: the vendor advises the File API above 20 MB.
const LARGE_VIDEO: u64 = 20 << 20;

/// A video above this length is uploaded.
const LONG_VIDEO: Duration = Duration::from_seconds(60);

/// The way of one item, given what already travels inline.
pub(crate) fn choose(
    probed: &Probed,
    sent: &SentAs,
    inline: RequestLength,
    rules: &RuleSet<'_>,
    options: &PlanOptions,
) -> Route {
    let elsewhere = match rules.key.service {
        Service::DeveloperApi => Route::File,
        Service::Vertex => Route::Uri,
    };
    match options.route {
        RouteChoice::Inline => return Route::Inline,
        RouteChoice::File => return elsewhere,
        RouteChoice::Auto => {}
    }
    let mut with_item = inline;
    with_item.add(encoded_length(probed, sent));
    let way = rules.limits().and_then(|limits| limits.way(Way::Inline));
    let limit = way.and_then(|way| way.request_bytes).and_then(|limit| limit.hard);
    let fits = limit.is_none_or(|limit| with_item.bytes() <= limit / 4 * 3)
        && service::fits_way(probed, Route::Inline, rules);
    let heavy_video = rules.key.service == Service::DeveloperApi && is_heavy_video(probed);
    if fits && !heavy_video { Route::Inline } else { elsewhere }
}

/// Whether a video is small enough to travel inside a request of its own.
#[cfg(feature = "pixels")]
pub(crate) fn is_small(probed: &Probed, sent: &SentAs, rules: &RuleSet<'_>) -> bool {
    let options = PlanOptions::default();
    choose(probed, sent, RequestLength::new(), rules, &options) == Route::Inline
}

fn is_heavy_video(probed: &Probed) -> bool {
    probed.info.modality() == Modality::Video
        && (probed.bytes.is_some_and(|bytes| bytes > LARGE_VIDEO)
            || probed.info.duration().is_some_and(|length| length > LONG_VIDEO))
}
