//! What the service answers when it cannot do what was asked: always JSON, never the server's inside.

use std::error::Error;

use axum::Json;
use axum::extract::rejection::{JsonRejection, PathRejection, QueryRejection};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use deadpool_postgres::PoolError;
use serde_json::json;
use uuid::Uuid;

/// A refusal or a failure, as the client is to hear it.
#[derive(Debug)]
pub enum ApiError {
    /// 404.
    NotFound(String),
    /// 403: the rules name another person.
    Forbidden(String),
    /// 409: the rules do not allow it in this state.
    Conflict(String),
    /// 422: everything that is wrong with the input.
    Unprocessable(Vec<String>),
    /// The request could not be read; axum knows the status.
    Unreadable(StatusCode, String),
    /// 503: no connection to the database. The text is for the log.
    Unavailable(String),
    /// 500. The text is for the log.
    Internal(String),
}

impl ApiError {
    pub(crate) fn no_request(id: Uuid) -> Self {
        Self::NotFound(format!("there is no request {id}"))
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::Forbidden(_) => StatusCode::FORBIDDEN,
            Self::Conflict(_) => StatusCode::CONFLICT,
            Self::Unprocessable(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Unreadable(status, _) => *status,
            Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let status = self.status();
        let (message, problems) = match self {
            Self::NotFound(message) | Self::Forbidden(message) | Self::Conflict(message) => {
                (message, Vec::new())
            }
            Self::Unreadable(_, message) => (message, Vec::new()),
            Self::Unprocessable(problems) => ("the input is not accepted".to_owned(), problems),
            Self::Unavailable(cause) => {
                crate::console::complain(&format!("no database: {cause}"));
                ("the database is not available".to_owned(), Vec::new())
            }
            Self::Internal(cause) => {
                crate::console::complain(&format!("internal error: {cause}"));
                ("internal error".to_owned(), Vec::new())
            }
        };
        let mut error = json!({ "status": status.as_u16(), "message": message });
        if !problems.is_empty() {
            error["problems"] = json!(problems);
        }
        (status, Json(json!({ "error": error }))).into_response()
    }
}

/// An error and what caused it, each once: some errors say their cause themselves, others leave it to
/// whoever prints them.
#[must_use]
pub fn with_causes(error: &(dyn Error + 'static)) -> String {
    let mut text = format!("{error:#}");
    let mut next = error.source();
    while let Some(cause) = next {
        let said = cause.to_string();
        if !text.contains(&said) {
            text.push_str(": ");
            text.push_str(&said);
        }
        next = cause.source();
    }
    text
}

impl From<tokio_postgres::Error> for ApiError {
    fn from(error: tokio_postgres::Error) -> Self {
        let Some(db) = error.as_db_error() else {
            let cause = with_causes(&error);
            return if error.is_closed() {
                Self::Unavailable(cause)
            } else {
                Self::Internal(cause)
            };
        };
        match db.code().code().get(..2) {
            // Class 22, data exception, and 23, integrity constraint violation: the input's fault.
            Some("22" | "23") => Self::Unprocessable(vec![db.message().to_owned()]),
            // 57, operator intervention: the server is shutting down or starting up.
            Some("57") => Self::Unavailable(with_causes(&error)),
            _ => Self::Internal(with_causes(&error)),
        }
    }
}

impl From<PoolError> for ApiError {
    fn from(error: PoolError) -> Self {
        Self::Unavailable(with_causes(&error))
    }
}

impl From<JsonRejection> for ApiError {
    fn from(rejection: JsonRejection) -> Self {
        Self::Unreadable(rejection.status(), rejection.body_text())
    }
}

impl From<QueryRejection> for ApiError {
    fn from(rejection: QueryRejection) -> Self {
        Self::Unreadable(rejection.status(), rejection.body_text())
    }
}

impl From<PathRejection> for ApiError {
    fn from(rejection: PathRejection) -> Self {
        Self::Unreadable(rejection.status(), rejection.body_text())
    }
}
