//! What the service answers.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::service::service;

/// The values of one field of every element.
fn each<'a>(list: &'a Value, field: &str) -> Vec<&'a Value> {
    list.as_array().expect("a list").iter().map(|element| &element[field]).collect()
}

fn message((status, body): &(StatusCode, Value)) -> (u16, &str) {
    (status.as_u16(), body["error"]["message"].as_str().expect("a message"))
}

#[tokio::test]
async fn a_new_request_waits_for_its_first_approver() {
    let service = service().await;
    let (status, made) = service
        .post(
            "/requests",
            json!({
                "title": "  A laptop ",
                "description": "The old one is slow.",
                "initiator": "Ana@Example.org",
                "department": "Sales",
                "priority": "express",
                "levels": [
                    { "name": "Team", "approver": "BO@example.org", "tat_hours": 8 },
                    { "approver": "cy@example.org", "tat_hours": 24 },
                ],
            }),
        )
        .await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
    assert_eq!(made["title"], "A laptop");
    assert_eq!(made["initiator"], "ana@example.org");
    assert_eq!(made["status"], "pending");
    assert_eq!(made["current_level"], 1);
    assert_eq!(each(&made["levels"], "level_number"), [1, 2]);
    assert_eq!(each(&made["levels"], "status"), ["in_progress", "waiting"]);
    assert_eq!(each(&made["levels"], "approver"), ["bo@example.org", "cy@example.org"]);
    assert_eq!(each(&made["activities"], "kind"), ["created", "submitted", "level_started"]);

    // Express: eight hours by the clock, whatever the calendar says.
    let time = |field: &str| -> jiff::Timestamp {
        made["levels"][0][field].as_str().expect("a time").parse().expect("a time")
    };
    assert_eq!((time("due_at") - time("started_at")).get_seconds(), 8 * 3600);

    let (status, shown) =
        service.get(&format!("/requests/{}", made["id"].as_str().expect("an id"))).await;
    assert_eq!((status, &shown), (StatusCode::OK, &made));

    let client = service.pool.get().await.expect("a connection");
    let rows = client
        .query("SELECT person::text || ' ' || role FROM participants ORDER BY role, person", &[])
        .await
        .expect("an answer");
    let participants: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    let expected =
        ["ana@example.org initiator", "bo@example.org approver", "cy@example.org approver"];
    assert_eq!(participants, expected);
}

#[tokio::test]
async fn approvals_go_level_by_level_and_the_last_one_approves_the_request() {
    let service = service().await;
    let request = service.submitted(&["bo@example.org", "cy@example.org"]).await;

    let (status, after) = service.approve(&request, 1, "Bo@Example.org").await;
    assert_eq!(status, StatusCode::OK, "{after}");
    assert_eq!((&after["status"], &after["current_level"]), (&json!("pending"), &json!(2)));
    assert_eq!(each(&after["levels"], "status"), ["approved", "in_progress"]);

    let (status, after) = service.approve(&request, 2, "cy@example.org").await;
    assert_eq!(status, StatusCode::OK, "{after}");
    assert_eq!((&after["status"], &after["current_level"]), (&json!("approved"), &Value::Null));
    assert_eq!(each(&after["levels"], "status"), ["approved", "approved"]);
    assert!(after["closed_at"].is_string(), "{after}");
    let kinds = [
        "created",
        "submitted",
        "level_started",
        "approved",
        "level_started",
        "approved",
        "closed",
    ];
    assert_eq!(each(&after["activities"], "kind"), kinds);
    let actors = [
        json!("ana@example.org"),
        json!("ana@example.org"),
        Value::Null,
        json!("bo@example.org"),
        Value::Null,
        json!("cy@example.org"),
        Value::Null,
    ];
    assert_eq!(each(&after["activities"], "actor"), actors.iter().collect::<Vec<_>>());
}

#[tokio::test]
async fn what_the_rules_forbid_changes_nothing() {
    let service = service().await;
    let request = service.submitted(&["bo@example.org", "cy@example.org"]).await;

    let early = service.approve(&request, 2, "cy@example.org").await;
    assert_eq!(message(&early), (409, "level 2 is not the current level: level 1 is"));
    let stranger = service.approve(&request, 1, "cy@example.org").await;
    assert_eq!(message(&stranger), (403, "the approver of level 1 is somebody else"));
    let (status, _) = service.approve(&request, 3, "cy@example.org").await;
    assert_eq!(status, StatusCode::NOT_FOUND);

    let id = request["id"].as_str().expect("an id");
    let (_, now) = service.get(&format!("/requests/{id}")).await;
    assert_eq!(now, request);

    let (status, _) = service.approve(&request, 1, "bo@example.org").await;
    assert_eq!(status, StatusCode::OK);
    let again = service.approve(&request, 1, "bo@example.org").await;
    assert_eq!(message(&again), (409, "level 1 is not the current level: level 2 is"));
    let (status, done) = service.approve(&request, 2, "cy@example.org").await;
    assert_eq!(status, StatusCode::OK);
    let again = service.approve(&request, 2, "cy@example.org").await;
    assert_eq!(message(&again), (409, "the request is approved, not pending"));
    let (_, now) = service.get(&format!("/requests/{id}")).await;
    assert_eq!(now, done);
}

#[tokio::test]
async fn of_many_who_approve_at_once_one_succeeds() {
    let service = service().await;
    let request = service.submitted(&["bo@example.org", "bo@example.org"]).await;
    let attempts = (0..8).map(|_| service.approve(&request, 1, "bo@example.org"));
    let mut statuses: Vec<_> = futures_util::future::join_all(attempts)
        .await
        .into_iter()
        .map(|(status, _)| status.as_u16())
        .collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409, 409, 409, 409, 409, 409, 409]);
}

#[tokio::test]
async fn lists_are_paged_and_filtered() {
    let service = service().await;
    for _ in 0..5 {
        let _ = service.submitted(&["bo@example.org"]).await;
    }
    let (_, all) = service.get("/requests").await;
    assert_eq!(each(&all["requests"], "request_number"), [5, 4, 3, 2, 1]);
    assert_eq!(all["next_before"], Value::Null);
    let (status, _) = service.approve(&all["requests"][1], 1, "bo@example.org").await;
    assert_eq!(status, StatusCode::OK);

    let (_, page) = service.get("/requests?status=pending&limit=2").await;
    assert_eq!(each(&page["requests"], "request_number"), [5, 3]);
    assert_eq!(page["next_before"], 3);
    let (_, page) = service.get("/requests?status=pending&limit=2&before=3").await;
    assert_eq!(each(&page["requests"], "request_number"), [2, 1]);
    // Full, and still the last: no empty page follows.
    assert_eq!(page["next_before"], Value::Null);

    let (_, approved) = service.get("/requests?status=approved").await;
    assert_eq!(each(&approved["requests"], "request_number"), [4]);
    assert_eq!(each(&approved["requests"], "current_level"), [&Value::Null]);
}

#[tokio::test]
async fn everything_wrong_with_a_request_is_said_at_once() {
    let service = service().await;
    let levels = json!([{ "approver": "bo", "tat_hours": 0 }]);
    let body = json!({ "title": " ", "initiator": "ana", "levels": levels });
    let (status, refused) = service.post("/requests", body).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    let problems = json!([
        "`title` is empty",
        "`initiator` is not an e-mail address",
        "`levels[0].approver` is not an e-mail address",
        "`levels[0].tat_hours` is not from 1 to 2000",
    ]);
    assert_eq!(refused["error"]["problems"], problems);
    let (_, all) = service.get("/requests").await;
    assert_eq!(all["requests"], json!([]));
}

#[tokio::test]
async fn every_refusal_is_json_with_the_right_status() {
    let service = service().await;
    let nobody = "/requests/00000000-0000-0000-0000-000000000000";
    let approve = format!("{nobody}/levels/1/approve");
    let zero_byte =
        r#"{"title":"a\u0000","initiator":"a@b","levels":[{"approver":"a@b","tat_hours":1}]}"#;
    for (method, path, body, status) in [
        (Method::GET, nobody, "", 404),
        (Method::GET, "/requests/7", "", 400),
        (Method::GET, "/nothing", "", 404),
        (Method::DELETE, "/requests", "", 405),
        (Method::GET, "/requests?status=lost", "", 400),
        (Method::GET, "/requests?stauts=pending", "", 400),
        (Method::GET, "/requests?limit=0", "", 422),
        (Method::GET, "/requests?limit=101", "", 422),
        (Method::POST, "/requests", "{", 400),
        (Method::POST, "/requests", "{}", 422),
        (Method::POST, "/requests", zero_byte, 422),
        (Method::POST, approve.as_str(), r#"{"approver":"bo@example.org"}"#, 404),
        (Method::POST, approve.as_str(), "{}", 422),
    ] {
        let said = format!("{method} {path} {body}");
        let (answered, refused) = service.ask(method, path, body).await;
        assert_eq!(answered.as_u16(), status, "{said}: {refused}");
        assert_eq!(refused["error"]["status"], status, "{said}");
        assert!(refused["error"]["message"].as_str().is_some_and(|it| !it.is_empty()), "{said}");
    }
}

#[tokio::test]
async fn the_figures_come_from_the_views() {
    let service = service().await;
    let first = service.submitted(&["bo@example.org"]).await;
    let _ = service.submitted(&["bo@example.org", "cy@example.org"]).await;
    let (status, _) = service.approve(&first, 1, "bo@example.org").await;
    assert_eq!(status, StatusCode::OK);
    // A level that has been waiting for its approver since long ago.
    let client = service.pool.get().await.expect("a connection");
    let backdate =
        "UPDATE approval_levels SET started_at = '2025-11-03 09:00Z' WHERE status = 'in_progress'";
    assert_eq!(client.execute(backdate, &[]).await.expect("an answer"), 1);

    let (status, kpis) = service.get("/kpis").await;
    assert_eq!(status, StatusCode::OK);
    let names = [
        "approver_performance",
        "approver_workload",
        "cycle_time",
        "overdue_levels",
        "request_status",
        "request_volume",
        "tat_alerts",
        "tat_compliance",
    ];
    assert_eq!(kpis.as_object().expect("an object").keys().collect::<Vec<_>>(), names);
    let statuses = &kpis["request_status"];
    assert_eq!(each(statuses, "status"), ["draft", "pending", "approved", "rejected", "withdrawn"]);
    assert_eq!(each(statuses, "requests"), [0, 1, 1, 0, 0]);
    assert_eq!(each(&kpis["approver_workload"], "approver"), ["bo@example.org", "cy@example.org"]);
    assert_eq!(each(&kpis["approver_workload"], "in_progress"), [1, 0]);
    assert_eq!(each(&kpis["approver_performance"], "approved"), [1]);
    assert_eq!(each(&kpis["tat_compliance"], "within_tat"), [1]);
    // Eight business hours from Monday 09:00 end on the same day, before the office closes.
    assert_eq!(each(&kpis["overdue_levels"], "due_at"), ["2025-11-03T17:00:00+00:00"]);
}

#[tokio::test]
async fn health_is_asked_of_the_database() {
    let service = service().await;
    assert_eq!(service.get("/healthz").await, (StatusCode::OK, json!({ "status": "ok" })));
    service.pool.close();
    let sick = service.get("/healthz").await;
    assert_eq!(message(&sick), (503, "the database is not available"));
}
