//! Locations and accounts.

crate::identifier! {
    /// One region, site or terminal.
    LocationId
}
crate::identifier! {
    /// One customer.
    AccountId
}
