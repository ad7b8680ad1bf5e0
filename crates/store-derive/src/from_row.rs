//! `#[derive(FromRow)]`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Data, DeriveInput, Field, Fields, LitStr};

/// How a field is read.
enum Reading {
    Column,
    Json,
    Flatten,
}

pub(crate) fn derive(input: &DeriveInput) -> syn::Result<TokenStream> {
    let fields = match &input.data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(fields) => &fields.named,
            _ => {
                return Err(syn::Error::new_spanned(
                    input,
                    "FromRow needs a struct with named fields",
                ));
            }
        },
        _ => return Err(syn::Error::new_spanned(input, "FromRow needs a struct")),
    };
    let readings = fields
        .iter()
        .enumerate()
        .map(read_field)
        .collect::<syn::Result<Vec<_>>>()?;
    let name = &input.ident;
    let (generics, arguments, bounds) = input.generics.split_for_impl();
    Ok(quote! {
        #[automatically_derived]
        impl #generics ::store::FromRow for #name #arguments #bounds {
            fn from_row(row: &::store::Row<'_>) -> ::core::result::Result<Self, ::store::Error> {
                ::core::result::Result::Ok(Self { #(#readings),* })
            }
        }
    })
}

fn read_field((position, field): (usize, &Field)) -> syn::Result<TokenStream> {
    let name = &field.ident;
    let kind = &field.ty;
    let mut column = LitStr::new(
        &name
            .as_ref()
            .map(|name| name.to_string().trim_start_matches("r#").to_owned())
            .unwrap_or_default(),
        proc_macro2::Span::call_site(),
    );
    let mut reading = Reading::Column;
    for attribute in field
        .attrs
        .iter()
        .filter(|attribute| attribute.path().is_ident("row"))
    {
        attribute.parse_nested_meta(|meta| {
            if meta.path.is_ident("json") {
                reading = Reading::Json;
            } else if meta.path.is_ident("flatten") {
                reading = Reading::Flatten;
            } else if meta.path.is_ident("column") {
                column = meta.value()?.parse()?;
            } else {
                return Err(meta.error("expected json, flatten or column = \"…\""));
            }
            Ok(())
        })?;
    }
    Ok(match reading {
        Reading::Column => quote!(#name: row.get::<#kind>(#position, #column)?),
        Reading::Json => quote!(#name: row.json::<#kind>(#position, #column)?),
        Reading::Flatten => quote!(#name: <#kind as ::store::FromRow>::from_row(row)?),
    })
}
