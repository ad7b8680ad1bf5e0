//! Derives for the `store` crate: rows that become structs, text that becomes ids and enums, and tests that run on
//! both engines. Everything is re-exported by `store`; use it from there.

mod both_engines;
mod from_row;
mod text;

use proc_macro::TokenStream;

/// Reads a row into a struct, column by column, by the names of the fields.
///
/// Fields may carry `#[row(column = "…")]` for another name, `#[row(json)]` for any type that serde reads, stored as
/// JSON, and `#[row(flatten)]` for a struct that derives `FromRow` itself and reads its columns from the same row.
#[proc_macro_derive(FromRow, attributes(row))]
pub fn from_row(input: TokenStream) -> TokenStream {
    expand(input, from_row::derive)
}

/// Stores an enum without fields as TEXT, in snake_case. A variant may carry `#[text("…")]` for another text.
///
/// Adds `ALL`, all variants in their order, and `as_text` and `from_text`.
#[proc_macro_derive(TextEnum, attributes(text))]
pub fn text_enum(input: TokenStream) -> TokenStream {
    expand(input, text::derive_enum)
}

/// Stores a newtype over `String` as TEXT. With `#[text(parse)]` the type is read through `FromStr` and written through
/// `Display`, so that what it guarantees also holds for what is read.
#[proc_macro_derive(TextType, attributes(text))]
pub fn text_type(input: TokenStream) -> TokenStream {
    expand(input, text::derive_newtype)
}

/// Makes two tests of one: `name::sqlite` and `name::postgres`. The function takes the `store::Engine`. What stands in
/// the parentheses of the attribute is given to `#[tokio::test]`.
#[proc_macro_attribute]
pub fn both_engines(options: TokenStream, input: TokenStream) -> TokenStream {
    both_engines::expand(options.into(), input.into())
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}

fn expand(
    input: TokenStream,
    derive: fn(&syn::DeriveInput) -> syn::Result<proc_macro2::TokenStream>,
) -> TokenStream {
    syn::parse(input)
        .and_then(|input| derive(&input))
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}
