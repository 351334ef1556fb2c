//! A module's bill of materials, in CycloneDX 1.5: the crates that are compiled into it.

use crate::crates::{self, Crate};
use anyhow::{Context, Result};
use cyclonedx_bom::models::component::{Classification, Component, Components};
use cyclonedx_bom::models::hash::{Hash, HashAlgorithm, HashValue, Hashes};
use cyclonedx_bom::models::license::{LicenseChoice, Licenses};
use cyclonedx_bom::models::metadata::Metadata;
use cyclonedx_bom::prelude::{Bom, NormalizedString, Purl, SpdxExpression, SpecVersion};
use protocol::value::Digest;
use std::path::Path;

/// The document for the module `name`, which is compiled from `package`. The same inputs give the same bytes: it
/// holds neither a time nor a random number.
pub(super) fn of_module(root: &Path, name: &str, package: &str, bytes: &[u8]) -> Result<Vec<u8>> {
    let crates = crates::of_module(root, package)?;
    let mut module = Component::new(Classification::File, name, env!("CARGO_PKG_VERSION"), None);
    module.hashes = Some(sha256(&Digest::of(bytes).to_string()));
    let components = crates.iter().map(component).collect::<Result<Vec<_>>>()?;
    let bom = Bom {
        serial_number: None,
        metadata: Some(Metadata { component: Some(module), ..Metadata::default() }),
        components: Some(Components(components)),
        ..Bom::default()
    };
    let mut out = Vec::new();
    bom.output_as_json(&mut out, SpecVersion::V1_5).context("the bill of materials can't be written")?;
    out.push(b'\n');
    Ok(out)
}

fn component(part: &Crate) -> Result<Component> {
    let mut component = Component::new(Classification::Library, &part.name, &part.version, None);
    component.licenses = Some(Licenses(vec![match SpdxExpression::try_from(part.license.clone()) {
        Ok(expression) => LicenseChoice::Expression(expression),
        Err(_) => anyhow::bail!("{} has no licence expression", part.name),
    }]));
    // What the lock file holds the download to; our own crates have none.
    component.hashes = part.checksum.as_deref().map(sha256);
    if part.checksum.is_some() {
        component.purl = Some(Purl::new("cargo", &part.name, &part.version)?);
    }
    component.description = Some(NormalizedString::new(&part.why));
    Ok(component)
}

fn sha256(hexadecimal: &str) -> Hashes {
    Hashes(vec![Hash { alg: HashAlgorithm::SHA_256, content: HashValue(hexadecimal.to_owned()) }])
}
