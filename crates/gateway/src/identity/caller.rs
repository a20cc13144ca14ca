use std::sync::Arc;

use shared::{Audience, ErrorCode, Kind, SessionId, Timestamp, WireError};

use super::ChannelRights;

/// Somebody who asks for something, however it came in.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) role: Role,
    pub(crate) session: Option<SessionId>,
    pub(crate) user: Option<String>,
    /// The kinds that it may submit.
    pub(crate) kinds: Arc<[Kind]>,
    /// Whether it may publish events to anybody.
    pub(crate) may_publish: bool,
    /// What it may do in channels.
    pub(crate) channels: Arc<ChannelRights>,
    /// When its token ends; a connection may last longer.
    pub(crate) expires_at: Option<Timestamp>,
}

/// In whose name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Its own.
    Client,
    /// The installation's: it sees everything and acts for anybody.
    Service,
}

impl Caller {
    pub(crate) fn service(kinds: Arc<[Kind]>) -> Self {
        Self { role: Role::Service, session: None, user: None, kinds, may_publish: true, channels: Arc::default(), expires_at: None }
    }

    /// Everybody that this caller is; none for a service, which is nobody in particular.
    pub(crate) fn audiences(&self) -> impl Iterator<Item = Audience> {
        let user = self.user.clone().map(Audience::User);
        user.into_iter().chain(self.session.map(Audience::Session))
    }

    /// Who sees the jobs that it submits: a user on all devices, anybody else in the one session.
    pub(crate) fn own_audience(&self) -> Option<Audience> {
        self.audiences().next()
    }

    /// Whether what this audience sees is this caller's to see.
    pub(crate) fn is_among(&self, audience: &Audience) -> bool {
        match (self.role, audience) {
            (Role::Service, _) | (Role::Client, Audience::All) => true,
            (Role::Client, Audience::Session(id)) => self.session == Some(*id),
            (Role::Client, Audience::User(id)) => self.user.as_ref() == Some(id),
            (Role::Client, Audience::Channel(name)) => self.channels.may_join(name),
        }
    }

    /// A connection may outlive the token that it came with.
    pub(crate) fn check_expiry(&self) -> Result<(), WireError> {
        match self.expires_at {
            Some(end) if end <= Timestamp::now() => Err(ErrorCode::Unauthorized.error("the token has expired")),
            _ => Ok(()),
        }
    }
}
