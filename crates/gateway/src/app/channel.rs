use shared::{Audience, ErrorCode, Notification, Payload, WireError, limits::MAX_AUDIENCE_NAME};
use tokio::sync::oneshot;
use uuid::Uuid;

use super::{App, BUSY_RETRY};
use crate::{
    allowance::Allowance,
    identity::{Caller, check_name},
    relay::{Full, Reach},
};

/// What a client wants to say in a channel.
pub(crate) struct Saying {
    pub(crate) channel: String,
    /// What kind of message it is, in the application's words.
    pub(crate) event: String,
    pub(crate) data: Option<Payload>,
    /// The client's own name for it, so that it may be repeated without being heard twice.
    pub(crate) id: Option<String>,
}

/// Something that is being said.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) id: String,
    pub(crate) reach: oneshot::Receiver<Reach>,
}

impl App {
    /// Whether a client may enter a channel.
    pub(crate) fn check_join(&self, caller: &Caller, channel: &str) -> Result<(), WireError> {
        check_name(channel)?;
        caller.check_expiry()?;
        if !caller.channels.may_join(channel) {
            return Err(ErrorCode::Forbidden.error(format!("`{channel}` is not a channel that you may join")));
        }
        Ok(())
    }

    /// Says something in a channel, without waiting until everybody has heard it.
    pub(crate) fn say(&self, caller: &Caller, allowance: &Allowance, saying: Saying) -> Result<Said, WireError> {
        allowance.check_publish()?;
        let Saying { channel, event, data, id } = saying;
        check_name(&channel)?;
        caller.check_expiry()?;
        if !(caller.may_publish || caller.channels.may_publish(&channel)) {
            return Err(ErrorCode::Forbidden.error(format!("`{channel}` is not a channel that you may publish to")));
        }
        if [Some(&event), id.as_ref()].into_iter().flatten().any(|name| name.is_empty() || name.len() > MAX_AUDIENCE_NAME) {
            return Err(ErrorCode::InvalidRequest.error(format!("`id` and `event` have 1 to {MAX_AUDIENCE_NAME} bytes")));
        }
        let (size, most) = (data.as_ref().map_or(0, Payload::len), self.allowances.limits().max_publish_bytes);
        if size > most {
            return Err(ErrorCode::PayloadTooLarge.error(format!("the data has {size} bytes; {most} are allowed in channels")));
        }
        let id = id.map_or_else(Uuid::now_v7, |id| own_id(caller, &id)).to_string();
        let notification = Notification { id: id.clone(), audience: Audience::Channel(channel), event, data };
        match self.outbox.say(notification) {
            Ok(reach) => Ok(Said { id, reach }),
            Err(Full) => Err(ErrorCode::QueueUnavailable.error("too much is being said; try again soon").retry_after(BUSY_RETRY)),
        }
    }
}

/// The namespace of ids that clients choose: a random UUID of Mayfly's own.
const CHOSEN: Uuid = Uuid::from_u128(0x0b1f_9d4e_66c2_4c1e_9a53_d0c7_3b8e_52f4);

/// The same for the same session and name, so that no client can take another's id, or a service's, and so silence it.
fn own_id(caller: &Caller, chosen: &str) -> Uuid {
    let session = caller.session.map(|session| session.to_string()).unwrap_or_default();
    Uuid::new_v5(&CHOSEN, format!("{session}/{chosen}").as_bytes())
}
