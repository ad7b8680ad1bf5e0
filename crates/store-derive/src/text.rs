//! `#[derive(TextEnum)]` and `#[derive(TextType)]`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Attribute, Data, DeriveInput, Fields, Ident, LitStr};

pub(crate) fn derive_enum(input: &DeriveInput) -> syn::Result<TokenStream> {
    let Data::Enum(data) = &input.data else {
        return Err(syn::Error::new_spanned(input, "TextEnum needs an enum"));
    };
    if let Some(variant) = data
        .variants
        .iter()
        .find(|variant| !matches!(variant.fields, Fields::Unit))
    {
        return Err(syn::Error::new_spanned(
            variant,
            "a variant with fields cannot be stored as text",
        ));
    }
    let name = &input.ident;
    let visibility = &input.vis;
    let variants: Vec<&Ident> = data.variants.iter().map(|variant| &variant.ident).collect();
    let texts = data
        .variants
        .iter()
        .map(|variant| text_of(&variant.ident, &variant.attrs))
        .collect::<syn::Result<Vec<LitStr>>>()?;
    let unknown = format!("the text is none of those of {name}");
    let bindings = bindings(name, &quote!(::store::Value::Text(value.as_text().to_owned())));
    Ok(quote! {
        #[automatically_derived]
        #[expect(clippy::allow_attributes, reason = "not every enum uses all of what the derive adds")]
        #[allow(dead_code)]
        impl #name {
            /// All variants, in their order.
            #visibility const ALL: &'static [Self] = &[#(Self::#variants),*];

            /// The text that is stored.
            #visibility const fn as_text(&self) -> &'static str {
                match self { #(Self::#variants => #texts),* }
            }

            /// The variant that is stored as this text.
            #visibility fn from_text(text: &str) -> ::core::option::Option<Self> {
                match text {
                    #(#texts => ::core::option::Option::Some(Self::#variants),)*
                    _ => ::core::option::Option::None,
                }
            }
        }
        #bindings
        #[automatically_derived]
        impl ::store::FromValue for #name {
            fn from_value(value: ::store::ValueRef<'_>) -> ::core::result::Result<Self, ::store::Mismatch> {
                let text = <::std::string::String as ::store::FromValue>::from_value(value)?;
                Self::from_text(&text).ok_or_else(|| ::store::Mismatch::new(#unknown))
            }
        }
    })
}

pub(crate) fn derive_newtype(input: &DeriveInput) -> syn::Result<TokenStream> {
    let is_newtype = matches!(&input.data, Data::Struct(data) if matches!(&data.fields, Fields::Unnamed(fields) if fields.unnamed.len() == 1));
    let parses = parses(&input.attrs)?;
    if !is_newtype && !parses {
        return Err(syn::Error::new_spanned(
            input,
            "TextType needs a struct over one String, or #[text(parse)]",
        ));
    }
    let name = &input.ident;
    let unreadable = format!("the text is not a valid {name}");
    let (write, read) = if parses {
        (
            quote!(::store::Value::Text(::std::string::ToString::to_string(&value))),
            quote!(text.parse::<Self>().map_err(|_| ::store::Mismatch::new(#unreadable))),
        )
    } else {
        (
            quote!(::store::Value::Text(value.0.clone())),
            quote!(::core::result::Result::Ok(Self(text))),
        )
    };
    let bindings = bindings(name, &write);
    Ok(quote! {
        #bindings
        #[automatically_derived]
        impl ::store::FromValue for #name {
            fn from_value(value: ::store::ValueRef<'_>) -> ::core::result::Result<Self, ::store::Mismatch> {
                let text = <::std::string::String as ::store::FromValue>::from_value(value)?;
                #read
            }
        }
    })
}

/// The type and a reference to it can be bound.
fn bindings(name: &Ident, write: &TokenStream) -> TokenStream {
    let of = |kind: TokenStream| {
        quote! {
            #[automatically_derived]
            impl ::core::convert::From<#kind> for ::store::Value {
                fn from(value: #kind) -> Self {
                    #write
                }
            }
            #[automatically_derived]
            impl ::store::Bound for #kind {
                const KIND: ::store::Kind = ::store::Kind::Text;
            }
        }
    };
    let (owned, borrowed) = (of(quote!(#name)), of(quote!(&#name)));
    quote!(#owned #borrowed)
}

fn text_of(variant: &Ident, attributes: &[Attribute]) -> syn::Result<LitStr> {
    match attributes
        .iter()
        .find(|attribute| attribute.path().is_ident("text"))
    {
        Some(attribute) => attribute.parse_args(),
        None => Ok(LitStr::new(&snake_case(&variant.to_string()), variant.span())),
    }
}

fn parses(attributes: &[Attribute]) -> syn::Result<bool> {
    let Some(attribute) = attributes
        .iter()
        .find(|attribute| attribute.path().is_ident("text"))
    else {
        return Ok(false);
    };
    let word: Ident = attribute.parse_args()?;
    if word == "parse" {
        Ok(true)
    } else {
        Err(syn::Error::new_spanned(word, "expected parse"))
    }
}

/// `OnCall2` becomes `on_call2`.
fn snake_case(name: &str) -> String {
    let mut text = String::with_capacity(name.len() + 4);
    for character in name.chars() {
        if character.is_uppercase() && !text.is_empty() {
            text.push('_');
        }
        text.extend(character.to_lowercase());
    }
    text
}
