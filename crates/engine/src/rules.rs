//! A row of the rule book with everything around it that a budget needs: window, limits, types and
//! prices of the same model, service and day.

use std::borrow::Cow;

use mediaprep_media::{MimeType, Modality, Warning, WarningCode};
use mediaprep_tokens::{
    Billing, Cost, Coverage, Date, Meter, MimeVerdict, Model, NoRule, PictureRule, Price, Row,
    RuleBook, RuleKey, Service, ServiceLimits, Stage as ModelStage, Usage, Window,
};

use crate::error::{Error, ErrorKind, Stage};
use crate::probe::Probed;

/// Which rule is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleRequest {
    /// The exact model name.
    pub model: String,
    /// The service that takes the request.
    pub service: Service,
    /// Whose number is wanted.
    pub meter: Meter,
    /// The day of the request.
    pub date: Date,
}

impl RuleRequest {
    /// What the Developer API bills for `model` on `date`.
    pub fn billed(model: impl Into<String>, date: Date) -> Self {
        let (service, meter) = (Service::DeveloperApi, Meter::Billed);
        Self { model: model.into(), service, meter, date }
    }
}

/// What becomes of a file's type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SentAs {
    /// Sent as it is, under this name.
    AsIs(Cow<'static, str>),
    /// Converted to this type first.
    Converted(Cow<'static, str>),
}

/// One row and its surroundings.
#[derive(Clone, Debug)]
pub struct RuleSet<'a> {
    /// What it was found by.
    pub key: RuleKey,
    /// The row.
    pub row: &'a Row,
    /// Whether the billed meter fell back to the documented one.
    pub fell_back: bool,
    model: Option<&'a Model>,
    limits: Option<ServiceLimits<'a>>,
    price: Option<&'a Price>,
    billing: Billing,
    /// One verdict for each entry of [`MimeType::ALL`]; `None` where the book has none.
    verdicts: Vec<Option<MimeVerdict>>,
}

impl<'a> RuleSet<'a> {
    /// The row for a request, with what surrounds it.
    ///
    /// # Errors
    ///
    /// An [`ErrorKind::NoRule`] that names what was asked and, as a hint, the nearest names.
    pub fn find(book: &'a RuleBook, request: &RuleRequest) -> Result<Self, Error> {
        let key = key(request);
        let found = book.find(&key).map_err(no_rule)?;
        Ok(Self::around(book, key, found.row, found.fell_back))
    }

    /// The row with the given id, whatever models it names, with what surrounds the model.
    ///
    /// # Errors
    ///
    /// An [`ErrorKind::NoRule`] when no row has the id.
    pub fn by_row(book: &'a RuleBook, request: &RuleRequest, id: &str) -> Result<Self, Error> {
        let row = book.row(id).ok_or_else(|| {
            let message = format!("no row of the rule book has the id `{id}`");
            Error::new("", Stage::Options, ErrorKind::NoRule, message)
                .with_hint("`mediaprep models ID` lists the rows of a model")
        })?;
        Ok(Self::around(book, key(request), row, false))
    }

    fn around(book: &'a RuleBook, key: RuleKey, row: &'a Row, fell_back: bool) -> Self {
        let (model, service, date) = (key.model.as_str(), key.service, key.date);
        let verdicts = MimeType::ALL.iter().map(|&mime| book.mime(model, service, date, mime));
        Self {
            model: book.model(model),
            limits: book.limits(model, service, date),
            price: book.price(model, service, date),
            billing: Billing::Standard,
            verdicts: verdicts.collect(),
            row,
            fell_back,
            key,
        }
    }

    /// The same with the price of requests that are sent in another way.
    #[must_use]
    pub const fn billed(mut self, billing: Billing) -> Self {
        self.billing = billing;
        self
    }

    /// How requests are sent, which has its price.
    pub const fn billing(&self) -> Billing {
        self.billing
    }

    /// The model's entry, where the book has one.
    pub const fn model(&self) -> Option<&'a Model> {
        self.model
    }

    /// What limits a request; `None` for a model that the book does not know.
    pub const fn limits(&self) -> Option<&ServiceLimits<'a>> {
        self.limits.as_ref()
    }

    /// The price, where one is known.
    pub const fn price(&self) -> Option<&'a Price> {
        self.price
    }

    /// The context window, where one is known.
    pub fn window(&self) -> Option<&'a Window> {
        self.model?.window_on(self.key.service)
    }

    /// Whether a charge depends on how many images and pages the request holds.
    pub fn depends_on_request(&self) -> bool {
        let several = |rule: &Coverage<PictureRule>| match rule {
            Coverage::Charged(rule) => rule.several.is_some(),
            Coverage::NotCovered | Coverage::NotAccepted => false,
        };
        several(&self.row.image) || several(&self.row.page)
    }

    /// Whether the price depends on the request's total.
    pub fn has_price_tiers(&self) -> bool {
        self.price.is_some_and(|price| price.tier_above.is_some())
    }

    /// Whether a request of `total` prompt tokens is in the upper price tier.
    pub fn is_above_tier(&self, total: u64) -> bool {
        self.price.is_some_and(|price| price.is_above(total))
    }

    /// What `usage` costs in a tier; `None` when no price is known.
    pub fn cost(&self, usage: &Usage, above: bool) -> Option<Cost> {
        self.price?.cost_in_tier(usage, above, self.billing)
    }

    /// What becomes of an item's type: as it is, renamed, or converted.
    ///
    /// # Errors
    ///
    /// An [`ErrorKind::Unsupported`] where the service refuses the type and nothing converts it.
    pub fn sent_as(&self, probed: &Probed) -> Result<SentAs, Error> {
        let Some(mime) = probed.mime_type else {
            return Ok(SentAs::AsIs(usual_type(probed.info.modality()).into()));
        };
        match self.verdict(mime) {
            None => Ok(SentAs::AsIs(mime.as_str().into())),
            Some(MimeVerdict::Accepted { .. }) => Ok(SentAs::AsIs(mime.as_str().into())),
            Some(MimeVerdict::Renamed { send_as }) => Ok(SentAs::AsIs(send_as.clone().into())),
            Some(MimeVerdict::Convert { to, lossless }) => {
                let keep = lossless.as_ref().filter(|_| needs_lossless(probed));
                Ok(SentAs::Converted(keep.unwrap_or(to).clone().into()))
            }
            Some(MimeVerdict::Refused) => Err(self.refused(&probed.name, mime)),
        }
    }

    fn verdict(&self, mime: MimeType) -> Option<&MimeVerdict> {
        let at = MimeType::ALL.iter().position(|&known| known == mime)?;
        self.verdicts.get(at)?.as_ref()
    }

    fn refused(&self, name: &str, mime: MimeType) -> Error {
        let service = self.key.service.as_str();
        let message =
            format!("{} takes no {mime} on {service}, and nothing converts it", self.key.model);
        Error::new(name, Stage::Limits, ErrorKind::Unsupported, message)
            .with_code(WarningCode::TypeRefused.as_str())
            .with_hint(match mime.modality() {
                Modality::Video => "remux it first, such as `ffmpeg -i FILE -c copy FILE.mp4`",
                _ => "convert the file to PNG, JPEG, MP3 or PDF first",
            })
    }

    /// Whether the service takes a type as it is; it does where the book knows of none.
    #[cfg(feature = "pixels")]
    pub(crate) fn takes(&self, mime: MimeType) -> bool {
        let verdict = self.verdict(mime);
        verdict.is_none_or(|verdict| verdict.send_as().is_some())
    }

    /// Refuses a format that the service does not take.
    #[cfg(feature = "pixels")]
    pub(crate) fn check_format(&self, format: crate::ImageFormat) -> Result<(), Error> {
        let mime = match format {
            crate::ImageFormat::Auto => return Ok(()),
            crate::ImageFormat::Jpeg => MimeType::Jpeg,
            crate::ImageFormat::Png => MimeType::Png,
            crate::ImageFormat::Webp => MimeType::Webp,
        };
        match self.verdict(mime) {
            None | Some(MimeVerdict::Accepted { .. } | MimeVerdict::Renamed { .. }) => Ok(()),
            Some(_) => Err(Error::new(
                "",
                Stage::Options,
                ErrorKind::InvalidOption,
                format!("{} takes no {mime} on {}", self.key.model, self.key.service.as_str()),
            )
            .with_hint("choose another image format, or leave it out")),
        }
    }

    /// What is worth knowing about the rule itself.
    pub fn warnings(&self) -> Vec<Warning> {
        let mut warnings = Vec::new();
        let model = &self.key.model;
        if self.fell_back {
            let message =
                format!("nobody has measured what {model} bills; the documented row is used");
            warnings.push(Warning::new(WarningCode::MeterFallback, message));
        }
        let retired = |model: &&Model| model.stage_on(self.key.date) == ModelStage::Retired;
        if self.model.filter(retired).is_some() {
            let message = format!("{model} is retired on {}", self.key.date);
            warnings.push(Warning::new(WarningCode::ModelRetired, message));
        }
        if self.price.is_none() {
            let message = format!("no price of {model} is known on {}", self.key.date);
            warnings.push(Warning::new(WarningCode::PriceUnknown, message));
        }
        warnings
    }
}

fn key(request: &RuleRequest) -> RuleKey {
    RuleKey {
        model: request.model.clone(),
        service: request.service,
        meter: request.meter,
        date: request.date,
    }
}

fn no_rule(error: NoRule) -> Error {
    let hint = error.hint.clone();
    Error::new("", Stage::Options, ErrorKind::NoRule, error).with_hint(hint)
}

/// Pictures with transparency lose it in a JPEG; unknown alpha is taken for none.
const fn needs_lossless(probed: &Probed) -> bool {
    match &probed.info {
        crate::MediaInfo::Image(image) => matches!(image.has_alpha, Some(true)),
        _ => false,
    }
}

/// The type that facts without one are taken for.
const fn usual_type(modality: Modality) -> &'static str {
    match modality {
        Modality::Image => MimeType::Jpeg.as_str(),
        Modality::Video => MimeType::Mp4.as_str(),
        Modality::Audio => MimeType::Mp3.as_str(),
        Modality::Document => MimeType::Pdf.as_str(),
        Modality::Text => "text/plain",
    }
}
