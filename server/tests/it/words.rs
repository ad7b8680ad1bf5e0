//! Internal words cannot become public ones by accident.

use muster::words::{InternalText, PublicText};

/// Two implementations for one type make the call below ambiguous, and this file would not compile.
macro_rules! is_not {
    ($type:ty: $($bound:tt)+) => {{
        trait Ambiguous<A> {
            fn holds() {}
        }
        impl<T: ?Sized> Ambiguous<()> for T {}
        impl<T: ?Sized + $($bound)+> Ambiguous<u8> for T {}
        <$type as Ambiguous<_>>::holds();
    }};
}

#[test]
fn there_is_no_conversion_from_internal_to_public_and_no_way_to_print_internal_words() {
    is_not!(InternalText: Into<PublicText>);
    is_not!(InternalText: std::ops::Deref<Target = str>);
    is_not!(InternalText: AsRef<str>);
    is_not!(InternalText: std::fmt::Display);
    is_not!(String: Into<PublicText>);
    is_not!(PublicText: serde::de::DeserializeOwned);
}
