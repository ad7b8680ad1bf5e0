//! Who is owed which job when something happens to an incident. Slices name their wishes; they are
//! gathered here, so that nothing below has to know what stands above it.

use crate::timeline::Subscription;

pub const ALL: &[Subscription] = &[
    crate::paging::jobs::SUBSCRIPTION,
    crate::impact::SUBSCRIPTION,
    crate::impact::ALERTS_SUBSCRIPTION,
    crate::desk::SUBSCRIPTION,
    crate::reviews::SUBSCRIPTION,
    crate::updates::SUBSCRIPTION,
    crate::pages::SUBSCRIPTION,
];
