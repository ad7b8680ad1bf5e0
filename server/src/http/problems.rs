//! The refusals that any endpoint may answer with, for the OpenAPI document.

use utoipa::IntoResponses;

use super::problem::ProblemBody;

/// Named in `responses(…)` of every endpoint beside its own success.
#[derive(IntoResponses)]
pub enum Problems {
    /// What was sent can never succeed; each error names its field.
    #[response(status = 400)]
    Invalid(#[to_schema] ProblemBody),
    /// Nobody is signed in, or the key is unknown or revoked.
    #[response(status = 401)]
    Unauthenticated(#[to_schema] ProblemBody),
    /// The caller may not do this.
    #[response(status = 403)]
    Forbidden(#[to_schema] ProblemBody),
    /// There is no such thing.
    #[response(status = 404)]
    NotFound(#[to_schema] ProblemBody),
    /// Somebody else was faster.
    #[response(status = 409)]
    Conflict(#[to_schema] ProblemBody),
    /// The body is larger than is read.
    #[response(status = 413)]
    TooLarge(#[to_schema] ProblemBody),
    /// Too many requests; `ratelimit-reset` says for how long.
    #[response(status = 429)]
    RateLimited(#[to_schema] ProblemBody),
    /// Nothing can be stored just now; nothing was kept.
    #[response(status = 503)]
    Unavailable(#[to_schema] ProblemBody),
}
