use bus::Message;
use shared::{ErrorCode, Notification, Payload, WireError, limits::MAX_AUDIENCE_NAME};

use super::{App, not_published};
use crate::identity::Caller;

impl App {
    /// Publishes a notification to every gateway.
    pub(crate) async fn notify(&self, caller: &Caller, notification: &Notification) -> Result<(), WireError> {
        self.check_closed()?;
        caller.check_expiry()?;
        if !caller.may_publish {
            return Err(ErrorCode::Forbidden.error("publishing events takes the permission `publish` or the service's token"));
        }
        let names = [&notification.id, &notification.event];
        if names.iter().any(|name| name.is_empty() || name.len() > MAX_AUDIENCE_NAME) {
            return Err(ErrorCode::InvalidRequest.error(format!("`id` and `event` have 1 to {MAX_AUDIENCE_NAME} bytes")));
        }
        let most = self.allowances.limits().max_payload_bytes;
        let size = notification.data.as_ref().map_or(0, Payload::len);
        if size > most {
            return Err(ErrorCode::PayloadTooLarge.error(format!("the data has {size} bytes; {most} are allowed")));
        }
        let message = Message::from(notification.to_message());
        self.bus.publish(&self.bus.names().events(), message).await.map(drop).map_err(|error| not_published(&error))
    }
}
