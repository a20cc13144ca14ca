#![allow(clippy::unwrap_used, reason = "tests")]

use clap::Parser;
use jsonwebtoken::{EncodingKey, Header, encode};
use serde_json::{Value, json};
use shared::{Audience, Timestamp};

use super::*;

#[derive(Parser)]
#[command(args_override_self = true)]
struct Settings {
    #[command(flatten)]
    gateway: GatewaySettings,
}

fn identities(arguments: &[&str]) -> Identities {
    let defaults = ["test", "--session-secret", "s", "--auth-jwt-secret", "users"];
    Identities::new(&Settings::parse_from([&defaults, arguments].concat()).gateway).unwrap()
}

fn user_token(claims: Value) -> String {
    encode(&Header::default(), &claims, &EncodingKey::from_secret(b"users")).unwrap()
}

fn token_of(user: &str) -> String {
    user_token(json!({"sub": user, "exp": Timestamp::now().as_second() + 60}))
}

#[test]
fn a_session_token_is_good_at_every_gateway_that_shares_the_secret() {
    let first = identities(&[]).admit(None, None).unwrap();
    let again = identities(&[]).admit(None, Some(&first.session.token)).unwrap();
    assert_eq!((again.session.id, again.is_returning), (first.session.id, true));
    let elsewhere = identities(&["--session-secret", "other"]).admit(None, Some(&first.session.token)).unwrap();
    assert_ne!(elsewhere.session.id, first.session.id);
}

#[test]
fn a_session_that_has_expired_is_replaced_not_refused() {
    let id = SessionId::new();
    let token = |exp: i64| {
        let claims = json!({"sid": id, "aud": "mayfly-session", "exp": Timestamp::now().as_second() + exp});
        encode(&Header::default(), &claims, &EncodingKey::from_secret(b"s")).unwrap()
    };
    assert_eq!(identities(&[]).admit(None, Some(&token(60))).unwrap().session.id, id);
    let fresh = identities(&[]).admit(None, Some(&token(-1))).unwrap();
    assert_ne!(fresh.session.id, id);
    assert!(!fresh.is_returning);
}

#[test]
fn an_anonymous_session_may_sign_in_but_a_users_session_is_nobody_elses() {
    let identities = identities(&[]);
    let anonymous = identities.admit(None, None).unwrap();
    let ann = identities.admit(Some(&token_of("ann")), Some(&anonymous.session.token)).unwrap();
    assert_eq!(ann.session.id, anonymous.session.id);
    for other in [Some(token_of("bob")), None] {
        let other = identities.admit(other.as_deref(), Some(&ann.session.token)).unwrap();
        assert_ne!(other.session.id, ann.session.id);
    }
}

#[test]
fn a_bad_user_token_is_refused() {
    let now = Timestamp::now().as_second();
    for claims in
        [json!({"sub": "ann", "exp": now - 60}), json!({"sub": "", "exp": now + 60}), json!({"exp": now + 60}), json!({"sub": "ann"})]
    {
        let refusal = identities(&[]).admit(Some(&user_token(claims.clone())), None).err().unwrap();
        assert_eq!(refusal.code, "unauthorized", "{claims}");
    }
    assert_eq!(identities(&[]).admit(Some("garbage"), None).err().unwrap().code, "unauthorized");
}

#[test]
fn a_session_token_does_not_sign_a_user_in_even_if_the_secrets_are_the_same() {
    let identities = identities(&["--session-secret", "users"]);
    let session = identities.admit(None, None).unwrap().session.token;
    assert!(identities.admit(Some(&session), None).is_err());
}

#[test]
fn a_users_kinds_narrow_the_gateways_and_never_widen_them() {
    let token = user_token(json!({"sub": "ann", "exp": Timestamp::now().as_second() + 60, "kinds": ["echo", "mine-bitcoin", "No Kind"]}));
    let ann = identities(&[]).admit(Some(&token), None).unwrap().caller;
    assert_eq!(*ann.kinds, ["echo".parse().unwrap()]);
}

#[test]
fn who_is_not_signed_in_may_be_allowed_less() {
    let identities = identities(&["--anonymous-kinds", "echo"]);
    assert_eq!(*identities.admit(None, None).unwrap().caller.kinds, ["echo".parse().unwrap()]);
    let ann = identities.admit(Some(&token_of("ann")), None).unwrap();
    assert_eq!(ann.caller.kinds.len(), 3);
    // The token of a user's session proves the session, not the user.
    assert_eq!(identities.bearer(&ann.session.token).unwrap().kinds.len(), 1);
    let nothing = self::identities(&["--anonymous-kinds", "none"]);
    assert!(nothing.admit(None, None).unwrap().caller.kinds.is_empty());
}

#[test]
fn jobs_of_a_user_belong_to_the_user_and_those_of_anybody_else_to_the_session() {
    let identities = identities(&[]);
    let ann = identities.admit(Some(&token_of("ann")), None).unwrap();
    assert_eq!(ann.caller.own_audience(), Some(Audience::User("ann".into())));
    assert!(ann.caller.is_among(&Audience::Session(ann.session.id)));
    let somebody = identities.admit(None, None).unwrap();
    assert_eq!(somebody.caller.own_audience(), Some(Audience::Session(somebody.session.id)));
    assert!(!somebody.caller.is_among(&Audience::User("ann".into())));
}

#[test]
fn a_bearer_is_a_service_a_session_or_a_user() {
    let identities = identities(&["--service-token", "let-me-in"]);
    assert_eq!(identities.bearer("let-me-in").unwrap().role, Role::Service);
    assert_eq!(identities.bearer("let-me-im").err().unwrap().code, "unauthorized");
    let session = identities.anonymous().unwrap().session;
    assert_eq!(identities.bearer(&session.token).unwrap().session, Some(session.id));
    assert_eq!(identities.bearer(&token_of("ann")).unwrap().user.as_deref(), Some("ann"));
}

#[test]
fn publishing_takes_a_permission() {
    let identities = identities(&[]);
    assert!(!identities.bearer(&token_of("ann")).unwrap().may_publish);
    let token = user_token(json!({"sub": "cms", "exp": Timestamp::now().as_second() + 60, "permissions": ["publish"]}));
    assert!(identities.bearer(&token).unwrap().may_publish);
}
