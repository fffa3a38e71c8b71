//! HTTP: which path leads where.

use std::time::Duration;

use axum::extract::rejection::{JsonRejection, PathRejection, QueryRejection};
use axum::extract::{Path, Query, Request, State};
use axum::http::{StatusCode, Uri, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use deadpool_postgres::Pool;
use dunlin::Health;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::error::ApiError;
use crate::kpis;
use crate::requests::{self, Approval, NewRequest, Page, PageQuery, RequestDetail};

/// A health check that takes longer has given its answer.
const HEALTH_TIMEOUT: Duration = Duration::from_secs(2);

type Answer<T> = Result<T, ApiError>;

/// The service, on a database that has been migrated.
pub fn router(pool: Pool) -> Router {
    Router::new()
        .route("/requests", get(list).post(create))
        .route("/requests/{id}", get(show))
        .route("/requests/{id}/levels/{number}/approve", post(approve))
        .route("/kpis", get(all_kpis))
        .route("/healthz", get(healthz))
        .fallback(no_such_path)
        .method_not_allowed_fallback(no_such_method)
        .with_state(pool)
}

/// The service while its database is being migrated: no request comes further than here.
///
/// A readiness probe sees the same at `/healthz`, which asks the database from then on.
pub fn once_migrated(router: Router, health: Health) -> Router {
    router.layer(from_fn_with_state(health, wait_for_migrations))
}

async fn wait_for_migrations(
    State(health): State<Health>,
    request: Request,
    next: Next,
) -> Response {
    let now = health.snapshot();
    if now.is_ready() {
        return next.run(request).await;
    }
    let json = [(header::CONTENT_TYPE, "application/json")];
    (StatusCode::SERVICE_UNAVAILABLE, json, now.to_json()).into_response()
}

async fn list(
    State(pool): State<Pool>,
    query: Result<Query<PageQuery>, QueryRejection>,
) -> Answer<Json<Page>> {
    let Query(query) = query?;
    let client = pool.get().await?;
    Ok(Json(requests::list(&client, &query).await?))
}

async fn create(
    State(pool): State<Pool>,
    body: Result<Json<NewRequest>, JsonRejection>,
) -> Answer<impl IntoResponse> {
    let Json(new) = body?;
    let mut client = pool.get().await?;
    let detail = requests::create(&mut client, new).await?;
    let location = format!("/requests/{}", detail.request.id);
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Json(detail)))
}

async fn show(
    State(pool): State<Pool>,
    path: Result<Path<Uuid>, PathRejection>,
) -> Answer<Json<RequestDetail>> {
    let Path(id) = path?;
    let client = pool.get().await?;
    requests::show(&client, id).await?.map(Json).ok_or_else(|| ApiError::no_request(id))
}

async fn approve(
    State(pool): State<Pool>,
    path: Result<Path<(Uuid, i16)>, PathRejection>,
    body: Result<Json<Approval>, JsonRejection>,
) -> Answer<Json<RequestDetail>> {
    let Path((id, number)) = path?;
    let Json(approval) = body?;
    let mut client = pool.get().await?;
    requests::approve(&mut client, id, number, &approval).await.map(Json)
}

async fn all_kpis(State(pool): State<Pool>) -> Answer<impl IntoResponse> {
    let client = pool.get().await?;
    let json = kpis::all(&client).await?;
    Ok(([(header::CONTENT_TYPE, "application/json")], json))
}

async fn healthz(State(pool): State<Pool>) -> Answer<Json<Value>> {
    let asked = tokio::time::timeout(HEALTH_TIMEOUT, async {
        drop(pool.get().await?.simple_query("SELECT 1").await?);
        Ok(Json(json!({ "status": "ok" })))
    });
    let too_late = |_| Err(ApiError::Unavailable("no answer to the health check".to_owned()));
    asked.await.unwrap_or_else(too_late)
}

async fn no_such_path(uri: Uri) -> ApiError {
    ApiError::NotFound(format!("there is nothing at {}", uri.path()))
}

async fn no_such_method() -> ApiError {
    let message = "this path does not answer to this method".to_owned();
    ApiError::Unreadable(StatusCode::METHOD_NOT_ALLOWED, message)
}
