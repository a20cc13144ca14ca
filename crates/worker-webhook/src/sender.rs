use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use jiff::Timestamp;
use reqwest::{
    Client, Response, StatusCode,
    header::{CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION, RETRY_AFTER},
    redirect::Policy,
};
use tokio::time::{Instant, timeout_at};
use url::Url;

use service::InvalidSettings;

use crate::{
    Reach, SecretError, Signer, TargetError, WebhookError, WebhookSettings,
    answer::{Answer, preview},
    dns::{GuardedDns, Lookup, SystemLookup},
    retry_after, target,
};

/// How many redirects are followed; a receiver that has moved needs one.
const MAX_REDIRECTS: usize = 3;
const USER_AGENT: &str = concat!("mayfly-webhook/", env!("CARGO_PKG_VERSION"));

/// Sends webhooks: what all webhook jobs of a process share.
#[derive(Debug)]
pub struct Sender {
    client: Client,
    signer: Option<Signer>,
    reach: Arc<Reach>,
    https_only: bool,
    /// How long an attempt may take, where the job does not say.
    pub(crate) timeout: Duration,
}

/// Settings that no webhook can be sent with.
#[derive(Debug, thiserror::Error)]
pub enum SenderError {
    /// The secret.
    #[error("{0}")]
    Secret(#[from] InvalidSettings),
    /// The HTTP client: most likely there are no root certificates.
    #[error("the HTTP client cannot be set up: {0}")]
    Client(#[from] reqwest::Error),
}

fn unusable(error: SecretError) -> InvalidSettings {
    InvalidSettings::new(format!("WEBHOOK_SECRET cannot be used: {error}"))
}

/// What is sent.
pub(crate) struct Letter {
    /// The same in every attempt, so that receivers can tell a repetition.
    pub(crate) id: String,
    pub(crate) url: Url,
    /// For the URL's origin only: a redirect must not carry a password elsewhere.
    pub(crate) headers: HeaderMap,
    /// JSON.
    pub(crate) body: Bytes,
}

impl Sender {
    /// Sets up the client; nothing is sent or resolved yet.
    ///
    /// # Errors
    /// A secret that cannot be used. None at all is not an error: every delivery fails then.
    pub fn new(settings: &WebhookSettings) -> Result<Self, SenderError> {
        Self::with_lookup(settings, Arc::new(SystemLookup))
    }

    pub(crate) fn with_lookup(settings: &WebhookSettings, lookup: Arc<dyn Lookup>) -> Result<Self, SenderError> {
        let reach = Arc::new(settings.reach());
        let secrets = settings.webhook_secret.reveal();
        let signer = if secrets.is_empty() { None } else { Some(Signer::new(secrets).map_err(unusable)?) };
        if signer.is_none() {
            tracing::warn!("WEBHOOK_SECRET is not set: webhooks fail with `not_configured`, since none is sent unsigned");
        }
        let client = Client::builder()
            .user_agent(USER_AGENT)
            .connect_timeout(settings.webhook_connect_timeout)
            .dns_resolver(GuardedDns::new(Arc::clone(&reach), lookup))
            // Every hop is checked by ourselves, and a proxy would resolve names behind our back.
            .redirect(Policy::none())
            .no_proxy()
            .build()?;
        Ok(Self { client, signer, reach, https_only: settings.webhook_https_only, timeout: settings.webhook_timeout })
    }

    /// Delivers a letter within `patience`. Dropping the future gives the connection up.
    pub(crate) async fn deliver(&self, letter: &Letter, patience: Duration) -> Result<Answer, WebhookError> {
        let begun = Instant::now();
        let deadline = begun + patience;
        let signed = self.signed(letter)?;
        let response = timeout_at(deadline, self.follow(letter, signed)).await.map_err(|_| WebhookError::TimedOut)??;
        let (status, duration) = (response.status(), begun.elapsed());
        match status {
            status if status.is_success() => Ok(Answer { status, duration, preview: preview(response, deadline).await }),
            StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY | StatusCode::TOO_MANY_REQUESTS => Err(unavailable(&response)),
            status if status.is_server_error() => Err(unavailable(&response)),
            status => Err(WebhookError::Refused(status)),
        }
    }

    fn signed(&self, letter: &Letter) -> Result<HeaderMap, WebhookError> {
        let signer = self.signer.as_ref().ok_or(WebhookError::NotConfigured)?;
        let timestamp = Timestamp::now().as_second();
        let header = |text: &str| HeaderValue::from_str(text).map_err(|_| WebhookError::Invalid(format!("`{text}` is no id")));
        let mut headers = HeaderMap::with_capacity(4);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert("webhook-id", header(&letter.id)?);
        headers.insert("webhook-timestamp", timestamp.into());
        headers.insert("webhook-signature", header(&signer.sign(&letter.id, timestamp, &letter.body))?);
        Ok(headers)
    }

    /// Sends, and sends again where a 307 or 308 points to: these keep method and body. The others ask for something
    /// else than the webhook and count as a refusal.
    async fn follow(&self, letter: &Letter, signed: HeaderMap) -> Result<Response, WebhookError> {
        let mut url = letter.url.clone();
        for _ in 0..=MAX_REDIRECTS {
            target::check(&url, &self.reach, self.https_only)?;
            let mut request = self.client.post(url.clone()).headers(signed.clone()).body(letter.body.clone());
            if url.origin() == letter.url.origin() {
                request = request.headers(letter.headers.clone());
            }
            let response = request.send().await?;
            match response.status() {
                StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT => url = location(&response, &url)?,
                _ => return Ok(response),
            }
        }
        Err(WebhookError::Redirected(format!("more than {MAX_REDIRECTS} times")))
    }
}

fn location(response: &Response, from: &Url) -> Result<Url, WebhookError> {
    let location = response.headers().get(LOCATION).and_then(|location| location.to_str().ok());
    let location = location.ok_or_else(|| WebhookError::Redirected("it does not say where to".to_owned()))?;
    let url = from.join(location).map_err(|error| WebhookError::Redirected(error.to_string()))?;
    if from.scheme() == "https" && url.scheme() != "https" {
        return Err(TargetError::Scheme { scheme: url.scheme().to_owned(), https_only: true }.into());
    }
    Ok(url)
}

fn unavailable(response: &Response) -> WebhookError {
    let header = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
    WebhookError::Unavailable {
        status: response.status(),
        retry_after: header.and_then(|value| retry_after::parse(value, Timestamp::now())),
    }
}
