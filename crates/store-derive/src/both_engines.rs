//! `#[both_engines]`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::ItemFn;

pub(crate) fn expand(options: TokenStream, input: TokenStream) -> syn::Result<TokenStream> {
    let test: ItemFn = syn::parse2(input)?;
    if test.sig.asyncness.is_none() || test.sig.inputs.len() != 1 {
        return Err(syn::Error::new_spanned(
            &test.sig,
            "expected `async fn name(engine: Engine)`",
        ));
    }
    let name = &test.sig.ident;
    let output = &test.sig.output;
    let (expectations, others): (Vec<_>, Vec<_>) = test.attrs.iter().partition(|attribute| {
        attribute.path().is_ident("ignore") || attribute.path().is_ident("should_panic")
    });
    let ItemFn { vis, sig, block, .. } = &test;
    Ok(quote! {
        #[cfg(test)]
        #(#others)*
        #vis #sig #block

        #[cfg(test)]
        mod #name {
            #(#expectations)*
            #[::tokio::test(#options)]
            async fn sqlite() #output {
                super::#name(::store::Engine::Sqlite).await
            }

            #(#expectations)*
            #[::tokio::test(#options)]
            async fn postgres() #output {
                super::#name(::store::Engine::Postgres).await
            }
        }
    })
}
