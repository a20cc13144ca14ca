//! Generates the server traits of `google.pubsub.v1` from a table of its methods.
//!
//! The messages come from a crate; only the services are missing there, so no `.proto` file and no `protoc` is needed.

use tonic_build::manual::{Builder, Method, Service};

/// Method, request and response. A response that is a message of the protocol is named as such; the ones in
/// `crate::wire` have the same bytes on the wire, but carry messages already encoded.
const PUBLISHER: &[(&str, &str, &str)] = &[
    ("CreateTopic", "Topic", "crate::proto::Topic"),
    ("UpdateTopic", "UpdateTopicRequest", "crate::proto::Topic"),
    ("Publish", "PublishRequest", "crate::proto::PublishResponse"),
    ("GetTopic", "GetTopicRequest", "crate::proto::Topic"),
    ("ListTopics", "ListTopicsRequest", "crate::proto::ListTopicsResponse"),
    ("ListTopicSubscriptions", "ListTopicSubscriptionsRequest", "crate::proto::ListTopicSubscriptionsResponse"),
    ("ListTopicSnapshots", "ListTopicSnapshotsRequest", "crate::proto::ListTopicSnapshotsResponse"),
    ("DeleteTopic", "DeleteTopicRequest", "crate::proto::Empty"),
    ("DetachSubscription", "DetachSubscriptionRequest", "crate::proto::DetachSubscriptionResponse"),
];

const SUBSCRIBER: &[(&str, &str, &str)] = &[
    ("CreateSubscription", "Subscription", "crate::proto::Subscription"),
    ("GetSubscription", "GetSubscriptionRequest", "crate::proto::Subscription"),
    ("UpdateSubscription", "UpdateSubscriptionRequest", "crate::proto::Subscription"),
    ("ListSubscriptions", "ListSubscriptionsRequest", "crate::proto::ListSubscriptionsResponse"),
    ("DeleteSubscription", "DeleteSubscriptionRequest", "crate::proto::Empty"),
    ("ModifyAckDeadline", "ModifyAckDeadlineRequest", "crate::proto::Empty"),
    ("Acknowledge", "AcknowledgeRequest", "crate::proto::Empty"),
    ("Pull", "PullRequest", "crate::wire::PullResponse"),
    ("StreamingPull", "StreamingPullRequest", "crate::wire::StreamingPullResponse"),
    ("ModifyPushConfig", "ModifyPushConfigRequest", "crate::proto::Empty"),
    ("GetSnapshot", "GetSnapshotRequest", "crate::proto::Snapshot"),
    ("ListSnapshots", "ListSnapshotsRequest", "crate::proto::ListSnapshotsResponse"),
    ("CreateSnapshot", "CreateSnapshotRequest", "crate::proto::Snapshot"),
    ("UpdateSnapshot", "UpdateSnapshotRequest", "crate::proto::Snapshot"),
    ("DeleteSnapshot", "DeleteSnapshotRequest", "crate::proto::Empty"),
    ("Seek", "SeekRequest", "crate::proto::SeekResponse"),
];

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    Builder::new().build_client(false).compile(&[service("Publisher", PUBLISHER), service("Subscriber", SUBSCRIBER)]);
}

fn service(name: &str, methods: &[(&str, &str, &str)]) -> Service {
    let mut service = Service::builder().package("google.pubsub.v1").name(name);
    for (route, input, output) in methods {
        let mut method = Method::builder()
            .name(snake_case(route))
            .route_name(route)
            .input_type(format!("crate::proto::{input}"))
            .output_type(output)
            .codec_path("tonic_prost::ProstCodec");
        if *route == "StreamingPull" {
            method = method.client_streaming().server_streaming();
        }
        service = service.method(method.build());
    }
    service.build()
}

fn snake_case(name: &str) -> String {
    let mut snake = String::new();
    for (at, letter) in name.char_indices() {
        if letter.is_uppercase() && at > 0 {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    snake
}
