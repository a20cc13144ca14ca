//! Who asks: from tokens to a [`Caller`], which says what it may do.

mod caller;
mod channels;
mod session;
mod user;

use std::{sync::Arc, time::Duration};

use service::StartError;
use shared::{ErrorCode, Kind, SessionId, WireError, client::SessionInfo};

use crate::GatewaySettings;
pub(crate) use caller::{Caller, Role};
pub use channels::{ChannelPattern, InvalidPattern};
pub(crate) use channels::{ChannelRights, check_name};
use session::SessionTokens;
use user::{User, UserTokens};

/// Turns tokens into callers.
pub(crate) struct Identities {
    sessions: SessionTokens,
    users: Option<UserTokens>,
    service_token: Option<String>,
    kinds: Arc<[Kind]>,
    /// What those may submit who are not signed in.
    anonymous_kinds: Arc<[Kind]>,
    /// What everybody may do in channels, signed in or not.
    channels: Arc<ChannelRights>,
    token_grace: Duration,
}

/// A client that was let in.
pub(crate) struct Admitted {
    pub(crate) caller: Caller,
    pub(crate) session: SessionInfo,
    /// Whether it brought a session that is still good.
    pub(crate) is_returning: bool,
}

impl Identities {
    pub(crate) fn new(settings: &GatewaySettings) -> Result<Self, StartError> {
        Ok(Self {
            sessions: SessionTokens::new(settings.session_secret.as_deref(), settings.session_ttl),
            users: UserTokens::new(settings)?,
            service_token: settings.service_token.clone().filter(|token| !token.is_empty()),
            anonymous_kinds: settings.kinds.iter().filter(|kind| settings.anonymous_kinds.contains(kind)).cloned().collect(),
            channels: Arc::new(ChannelRights {
                join: settings.anonymous_channels.to_vec(),
                publish: settings.anonymous_publish_channels.to_vec(),
            }),
            token_grace: settings.auth_grace,
            kinds: settings.kinds.as_slice().into(),
        })
    }

    /// A socket's handshake. A session that is no longer good, or is another user's, is replaced by a fresh one;
    /// only a bad user token is refused.
    pub(crate) fn admit(&self, token: Option<&str>, session: Option<&str>) -> Result<Admitted, WireError> {
        let user = token.filter(|token| !token.is_empty()).map(|token| self.user(token)).transpose()?;
        let user_id = user.as_ref().map(|user| user.id.as_str());
        let known = session.and_then(|token| self.sessions.verify(token)).filter(|known| known.may_be_used_by(user_id));
        let id = known.as_ref().map_or_else(SessionId::new, |known| known.id);
        let session = self.sessions.issue(id, user_id)?;
        Ok(Admitted { caller: self.client(Some(id), user), session, is_returning: known.is_some() })
    }

    /// An HTTP request's bearer token: the service's, a session's or a user's.
    pub(crate) fn bearer(&self, token: &str) -> Result<Caller, WireError> {
        if self.service_token.as_ref().is_some_and(|service| same(service, token)) {
            return Ok(Caller::service(Arc::clone(&self.kinds)));
        }
        // A session's token proves the session and no more: it lives longer than its user's token.
        if let Some(known) = self.sessions.verify(token) {
            return Ok(self.client(Some(known.id), None));
        }
        self.user(token).map(|user| self.client(None, Some(user)))
    }

    /// A fresh anonymous session, for an HTTP request without a token.
    pub(crate) fn anonymous(&self) -> Result<Admitted, WireError> {
        self.admit(None, None)
    }

    /// The same client by a new token of its user.
    pub(crate) fn refresh(&self, caller: &Caller, token: &str) -> Result<Caller, WireError> {
        let Some(known) = &caller.user else {
            return Err(ErrorCode::Forbidden.error("nobody is signed in here; sign in by connecting with the token"));
        };
        let user = self.user(token)?;
        if user.id != *known {
            return Err(ErrorCode::Forbidden.error("this is another user's token; sign in by connecting with it"));
        }
        Ok(self.client(caller.session, Some(user)))
    }

    /// How long a socket may stay after its user's token has ended.
    pub(crate) fn token_grace(&self) -> Duration {
        self.token_grace
    }

    fn user(&self, token: &str) -> Result<User, WireError> {
        let Some(users) = &self.users else { return Err(unauthorized("this installation does not sign users in")) };
        users.verify(token).map_err(|error| unauthorized(&error.to_string()))
    }

    fn client(&self, session: Option<SessionId>, mut user: Option<User>) -> Caller {
        let kinds = match &user {
            None => Arc::clone(&self.anonymous_kinds),
            Some(User { kinds: None, .. }) => Arc::clone(&self.kinds),
            Some(User { kinds: Some(allowed), .. }) => self.kinds.iter().filter(|kind| allowed.contains(kind)).cloned().collect(),
        };
        let added = user.as_mut().map(|user| std::mem::take(&mut user.channels)).unwrap_or_default();
        Caller {
            role: Role::Client,
            session,
            kinds,
            channels: self.channels.with(added),
            may_publish: user.as_ref().is_some_and(|user| user.may_publish),
            expires_at: user.as_ref().map(|user| user.expires_at),
            user: user.map(|user| user.id),
        }
    }
}

fn unauthorized(reason: &str) -> WireError {
    ErrorCode::Unauthorized.error(format!("the token is not accepted: {reason}"))
}

/// Compares without telling by its duration how much of a guess was right.
fn same(secret: &str, guess: &str) -> bool {
    secret.len() == guess.len() && secret.bytes().zip(guess.bytes()).fold(0, |difference, (a, b)| difference | (a ^ b)) == 0
}

#[cfg(test)]
mod tests;
