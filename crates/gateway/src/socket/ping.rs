use super::{args::Args, dispatch::Request};

/// `ping`: the same thing back, so that a client can measure the round trip.
pub(super) fn handle(request: Request) {
    match request.args {
        Args::Json(json) => request.reply.send(&json, json.get().len()),
        Args::Value { value, weight } => request.reply.send(&value, weight),
    }
}
