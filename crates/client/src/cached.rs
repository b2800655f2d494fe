//! Context caches: input that is sent once and used by many requests.

use mediaprep_parts::{CacheRequest, UsageMetadata};
use serde::Deserialize;

use crate::Error;
use crate::client::{Call, Client};
use crate::endpoint::{Mode, check_name};

/// A cache as the service tells of it.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct CachedContent {
    /// What a request names it by, as `cachedContent`.
    pub name: String,
    /// Whose input it is.
    pub model: Option<String>,
    /// For people.
    pub display_name: Option<String>,
    /// When it goes, as RFC 3339.
    pub expire_time: Option<String>,
    /// How many tokens it holds.
    pub usage_metadata: Option<UsageMetadata>,
}

impl Client {
    /// Keeps input for later requests. The model may be named in any form.
    ///
    /// # Errors
    ///
    /// As [`Client::generate`].
    pub async fn create_cache(&self, cache: &CacheRequest) -> Result<CachedContent, Error> {
        let model = self.endpoint().model_path(&cache.model)?;
        let body = CacheRequest { model, ..cache.clone() }.body();
        let url = self.endpoint().collection("cachedContents");
        self.typed(&Call::new("cachedContents.create", "POST", url).with_body(&body)).await
    }

    /// One cache, by its name.
    ///
    /// # Errors
    ///
    /// As [`Client::generate`].
    pub async fn cache(&self, name: &str) -> Result<CachedContent, Error> {
        self.typed(&Call::new("cachedContents.get", "GET", self.cache_url(name)?)).await
    }

    /// Deletes a cache before its time; it costs while it lives.
    ///
    /// # Errors
    ///
    /// As [`Client::generate`].
    pub async fn delete_cache(&self, name: &str) -> Result<(), Error> {
        let call = Call::new("cachedContents.delete", "DELETE", self.cache_url(name)?);
        self.json(&call).await.map(drop)
    }

    fn cache_url(&self, name: &str) -> Result<String, Error> {
        check_name(name)?;
        let whole = name.starts_with("projects/")
            || (self.endpoint().mode() == Mode::DeveloperApi && name.contains('/'));
        let bare = name.strip_prefix("cachedContents/").unwrap_or(name);
        Ok(if whole {
            self.endpoint().url(name)
        } else {
            self.endpoint().collection(&format!("cachedContents/{bare}"))
        })
    }
}
