//! The router on a migrated database of its own, and what is asked of it.

use std::sync::OnceLock;

use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use deadpool_postgres::{Manager, Pool};
use dunlin_sandbox::{Database, Server};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tokio_postgres::{Config, NoTls};
use tower::ServiceExt;

pub(crate) fn server() -> &'static Server {
    Server::shared().expect("a private PostgreSQL")
}

pub(crate) fn pool(connection: &str) -> Pool {
    let config: Config = connection.parse().expect("a connection string");
    Pool::builder(Manager::new(config, NoTls)).build().expect("a pool")
}

/// Migrated once, cloned for every test.
fn template() -> &'static Database {
    static TEMPLATE: OnceLock<Database> = OnceLock::new();
    TEMPLATE.get_or_init(|| {
        // A database that somebody is connected to cannot be cloned, and the last connection closes
        // with its runtime: so this is a runtime of its own, on a thread that has none.
        let migrated = std::thread::spawn(|| {
            let runtime = tokio::runtime::Runtime::new().expect("a runtime");
            let database = server().create_database().expect("a database");
            runtime.block_on(async {
                let pool = pool(&database.connection_string());
                let migrator = dunlin::Migrator::new(&workflow::MIGRATIONS);
                let report = migrator.apply(&pool).await.expect("the migrations apply");
                assert_eq!(report.n_total(), 14);
            });
            database
        });
        migrated.join().expect("the template is made")
    })
}

/// The service without its socket.
pub(crate) struct Service {
    pub(crate) router: Router,
    pub(crate) pool: Pool,
    // After the pool: it is dropped when nobody uses it any more.
    _database: Database,
}

pub(crate) async fn service() -> Service {
    let database = server().create_database_from(template()).expect("a clone");
    let pool = pool(&database.connection_string());
    Service { router: workflow::routes::router(pool.clone()), pool, _database: database }
}

impl Service {
    pub(crate) async fn get(&self, path: &str) -> (StatusCode, Value) {
        self.send(Request::get(path).body(Body::empty()).expect("a request")).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> (StatusCode, Value) {
        let request = Request::post(path).header(header::CONTENT_TYPE, "application/json");
        self.send(request.body(Body::from(body.to_string())).expect("a request")).await
    }

    pub(crate) async fn ask(&self, method: Method, path: &str, body: &str) -> (StatusCode, Value) {
        let request = Request::builder().method(method).uri(path);
        let request = request.header(header::CONTENT_TYPE, "application/json");
        self.send(request.body(Body::from(body.to_owned())).expect("a request")).await
    }

    /// Every answer is JSON, refusals included.
    async fn send(&self, request: Request<Body>) -> (StatusCode, Value) {
        let response = self.router.clone().oneshot(request).await.expect("the router answers");
        let status = response.status();
        let kind = response.headers().get(header::CONTENT_TYPE).cloned();
        assert_eq!(kind.as_ref().and_then(|kind| kind.to_str().ok()), Some("application/json"));
        let body = response.into_body().collect().await.expect("a body").to_bytes();
        (status, serde_json::from_slice(&body).expect("JSON"))
    }

    /// A request of Ana's that these people approve in turn.
    pub(crate) async fn submitted(&self, approvers: &[&str]) -> Value {
        let levels: Vec<_> =
            approvers.iter().map(|it| json!({ "approver": it, "tat_hours": 8 })).collect();
        let body = json!({ "title": "A laptop", "initiator": "ana@example.org", "levels": levels });
        let (status, made) = self.post("/requests", body).await;
        assert_eq!(status, StatusCode::CREATED, "{made}");
        made
    }

    pub(crate) async fn approve(
        &self,
        request: &Value,
        level: i64,
        approver: &str,
    ) -> (StatusCode, Value) {
        let id = request["id"].as_str().expect("an id");
        let path = format!("/requests/{id}/levels/{level}/approve");
        self.post(&path, json!({ "approver": approver })).await
    }
}
