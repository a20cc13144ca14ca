//! What is one client's is nobody else's.

use serde_json::json;

use crate::support::{Installation, user_token};

#[tokio::test]
async fn another_session_neither_hears_of_a_job_nor_reads_nor_cancels_nor_repeats_it() {
    let installation = Installation::start().await;
    let gateway = installation.gateway(&[]).await;
    let mut worker = installation.worker().await;
    let (mut owner, mut other) = (gateway.client().await, gateway.client().await);
    let id = owner.submit(json!("secret")).await;
    let job = worker.job().await;
    assert_eq!(other.ask("job:get", json!({ "id": id })).await["error"]["code"], "not_found");
    assert_eq!(other.ask("job:cancel", json!({ "id": id })).await["error"]["code"], "forbidden");
    let again = json!({ "id": id, "kind": "echo", "payload": 1 });
    assert_eq!(other.ask("job:submit", again).await["error"]["code"], "forbidden");
    let resumed = other.ask("job:resume", json!({ "jobs": [{ "id": id, "seq": 0 }] })).await;
    assert_eq!(resumed["jobs"][0], json!({ "id": id, "state": null, "recovered": false }));

    worker.finish(&job).await;
    owner.job_event(&id, "succeeded").await;
    other.catch_up().await;
    assert_eq!(other.types_of(&id), Vec::<String>::new());
}

#[tokio::test]
async fn a_users_jobs_are_told_on_all_devices_and_to_no_other_user() {
    let installation = Installation::start().await;
    let gateway = installation.gateway(&[]).await;
    let mut worker = installation.worker().await;
    let sign_in = async |user| gateway.client_as(json!({ "token": user_token(user, json!({})) })).await.unwrap();
    let (mut laptop, mut phone, mut bob) = (sign_in("ann").await, sign_in("ann").await, sign_in("bob").await);
    let id = laptop.submit(json!(1)).await;
    let job = worker.job().await;
    assert_eq!(job.audience.to_string(), "user:ann");
    assert_eq!(phone.ask("job:get", json!({ "id": id })).await["job"]["state"], "queued");
    worker.finish(&job).await;
    phone.job_event(&id, "succeeded").await;
    laptop.job_event(&id, "succeeded").await;
    bob.catch_up().await;
    assert_eq!(bob.types_of(&id), Vec::<String>::new());
    assert_eq!(bob.ask("job:get", json!({ "id": id })).await["error"]["code"], "not_found");
}

#[tokio::test]
async fn a_client_cannot_choose_who_sees_its_job() {
    let installation = Installation::start().await;
    let gateway = installation.gateway(&[]).await;
    let mut client = gateway.client().await;
    let refusal = client.ask("job:submit", json!({ "kind": "echo", "payload": 1, "audience": "all" })).await;
    assert_eq!(refusal["error"]["code"], "forbidden");
}
