//! The one shape of a refusal: what went wrong, in words for the caller, and for the log what it was.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

/// Something a caller asked for that cannot be done, and how that is said.
///
/// Built with the constructors below and nowhere else, so that the same mistake always gets the same
/// status, code and words.
#[derive(Debug, thiserror::Error)]
#[error("{status}: {message} {errors:?}")]
pub struct Problem {
    status: StatusCode,
    code: u32,
    message: String,
    errors: Vec<String>,
    /// For the log only; never shown.
    #[source]
    cause: Option<anyhow::Error>,
}

/// `{"error":{"message","code","errors"}}`, as the field's clients decode it: `errors` is always an
/// array of strings, each naming its field.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProblemBody {
    pub error: ProblemDetail,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct ProblemDetail {
    pub message: String,
    pub code: u32,
    pub errors: Vec<String>,
}

impl Problem {
    fn new(status: StatusCode, code: u32, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            errors: Vec::new(),
            cause: None,
        }
    }

    /// 400: what was sent can never succeed. Each text names its field.
    pub fn invalid<T: Into<String>>(errors: impl IntoIterator<Item = T>) -> Self {
        let mut problem = Self::new(StatusCode::BAD_REQUEST, 2001, "Invalid Input Provided");
        problem.errors = errors.into_iter().map(Into::into).collect();
        problem
    }

    /// 400 with a code of its own from the reference's table.
    pub fn refused(code: u32, message: impl Into<String>) -> Self {
        let message = message.into();
        let mut problem = Self::new(StatusCode::BAD_REQUEST, code, "Invalid Input Provided");
        problem.errors.push(message);
        problem
    }

    pub fn unauthenticated() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, 2006, "Unauthorized")
            .because("Sign in, or send an API key as 'Authorization: Token token=…'.")
    }

    /// 402: the account has no such ability.
    pub fn ability_missing() -> Self {
        Self::new(StatusCode::PAYMENT_REQUIRED, 2014, "Ability Missing")
    }

    pub fn forbidden(why: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, 2010, "Access Denied").because(why)
    }

    /// 404, also for what exists but may not be known to this caller.
    pub fn not_found(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, 2100, "Not Found").because(format!("{what} was not found."))
    }

    /// 405: the address is known, but not for this method.
    pub fn method_not_allowed(method: &str) -> Self {
        let method: String = method.chars().take(16).collect();
        Self::new(StatusCode::METHOD_NOT_ALLOWED, 2100, "Method Not Allowed").because(format!(
            "This address does not answer {method}; the header 'allow' names what it answers."
        ))
    }

    pub fn conflict(why: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, 1005, "Conflict").because(why)
    }

    /// 400 when a row with these columns exists already; otherwise what the database said.
    pub fn if_taken(error: store::Error, table: &str, columns: &[&str], sentence: &str) -> Self {
        if error.is_unique_on(table, columns) {
            Self::invalid([sentence])
        } else {
            Self::from(error)
        }
    }

    pub fn too_large(why: impl Into<String>) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, 2001, "Too Large").because(why)
    }

    pub fn rate_limited() -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, 2020, "Rate Limit Exceeded")
            .because("Wait for the seconds named in 'ratelimit-reset', then try again.")
    }

    /// 503: the database is full, slow or gone. Nothing was kept; the sender should try again.
    pub fn unavailable(cause: impl Into<anyhow::Error>) -> Self {
        let mut problem = Self::new(StatusCode::SERVICE_UNAVAILABLE, 2000, "Service Unavailable")
            .because("Muster cannot store anything just now. Nothing was kept; try again in a moment.");
        problem.cause = Some(cause.into());
        problem
    }

    pub fn internal(cause: impl Into<anyhow::Error>) -> Self {
        let mut problem = Self::new(StatusCode::INTERNAL_SERVER_ERROR, 2000, "Internal Error");
        problem.cause = Some(cause.into());
        problem
    }

    /// The same with other words for what went wrong.
    #[must_use]
    pub fn reworded(mut self, words: impl Fn(&str) -> String) -> Self {
        for error in &mut self.errors {
            *error = words(error);
        }
        self
    }

    #[must_use]
    pub fn because(mut self, why: impl Into<String>) -> Self {
        self.errors.push(why.into());
        self
    }

    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// What may be shown to the person who asked.
    pub fn errors(&self) -> &[String] {
        &self.errors
    }

    pub fn message(&self) -> &str {
        &self.message
    }

    pub fn body(&self) -> ProblemBody {
        ProblemBody {
            error: ProblemDetail {
                message: self.message.clone(),
                code: self.code,
                errors: self.errors.clone(),
            },
        }
    }

    /// Writes the internal cause to the log, where there is one.
    pub fn log(&self) {
        if let Some(cause) = &self.cause {
            tracing::error!(status = self.status.as_u16(), "request failed: {cause:#}");
        }
    }
}

impl From<store::Error> for Problem {
    fn from(error: store::Error) -> Self {
        if error.is_unavailable() {
            Self::unavailable(error)
        } else {
            match &error {
                store::Error::Invalid { reason } => {
                    Self::invalid([format!("A value cannot be stored: {reason}.")])
                }
                // Whoever asks looks first, and says better what stands against it; this is what a race leaves.
                store::Error::UniqueViolation(violation) => {
                    tracing::warn!("two stored the same at once: {violation}");
                    Self::conflict(
                        "Somebody else has just stored the same. Look at what is there, then try again.",
                    )
                }
                store::Error::ForeignKey(violation) => {
                    tracing::warn!("something named is not there: {violation}");
                    Self::invalid(["Something that is named here does not exist, or is gone by now."])
                }
                _ => Self::internal(error),
            }
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        self.log();
        let mut response = (self.status, axum::Json(self.body())).into_response();
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
        }
        response
    }
}
