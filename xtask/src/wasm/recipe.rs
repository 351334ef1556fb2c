//! How the module is built so that every machine gets the same bytes.

use crate::shell::{cargo, read, run, say};
use anyhow::{Context, Result, bail};
use sandbox::gate::Allow;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};
use wasm_bindgen_cli_support::Bindgen;

const TARGET: &str = "wasm32-unknown-unknown";

/// A module that ships.
#[derive(Clone, Copy)]
pub(super) struct Which {
    /// Its name in `target/artifact`.
    pub(super) name: &'static str,
    /// The crate that is its face, and the name of what that crate compiles to.
    package: &'static str,
    compiled: &'static str,
    /// What its memory may grow to, in bytes; the gate holds the module to the same.
    max_memory: u32,
    /// Its list in the gate.
    pub(super) allow: fn() -> Allow,
}

/// The matcher, and the reader of spreadsheets.
pub(super) const MODULES: [Which; 2] = [
    Which {
        name: "matcher",
        package: "matcher-wasm",
        compiled: "matcher_wasm.wasm",
        max_memory: 256 << 20,
        allow: Allow::matcher,
    },
    Which {
        name: "reader",
        package: "reader-wasm",
        compiled: "reader_wasm.wasm",
        max_memory: 320 << 20,
        allow: Allow::reader,
    },
];

/// What the linker takes the module to use. Without reference types wasm-bindgen needs no import;
/// with several results it needs no export for a place to return them to.
const FEATURES: &str = "bulk-memory,bulk-memory-opt,call-indirect-overlong,multivalue,mutable-globals,\
                        nontrapping-fptoint,sign-ext,simd128";

/// Variables that would change the code, or put something between cargo and the compiler.
const UNWANTED: [&str; 8] = [
    "CARGO_BUILD_RUSTC_WRAPPER",
    "CARGO_BUILD_RUSTFLAGS",
    "CARGO_BUILD_TARGET",
    "CARGO_TARGET_DIR",
    "RUSTC_BOOTSTRAP",
    "RUSTC_WORKSPACE_WRAPPER",
    "RUSTC_WRAPPER",
    "RUSTFLAGS",
];

/// Where a build happens. None of it shows in the module.
pub(super) struct Place {
    /// The folder with the sources.
    pub(super) workspace: PathBuf,
    /// The folder for what the compiler writes: one of its own, so that a build of the module and
    /// a build of the workspace do not wait for each other.
    pub(super) target: PathBuf,
    /// cargo's folder, with the sources of the dependencies.
    pub(super) cargo_home: PathBuf,
    /// Whether cargo must do without the network.
    pub(super) offline: bool,
}

/// The module and the glue that a page loads it with.
pub(super) struct Built {
    pub(super) wasm: Vec<u8>,
    pub(super) js: String,
}

/// Compiles a module, links it without reference types and binds it for the web.
pub(super) fn build(place: &Place, which: &Which) -> Result<Built> {
    let toolchain = Toolchain::find(&place.workspace)?;
    let mut cargo = cargo(&place.workspace);
    for (name, _) in env::vars_os() {
        if name.to_string_lossy().starts_with("CARGO_PROFILE_") {
            cargo.env_remove(name);
        }
    }
    for name in UNWANTED {
        cargo.env_remove(name);
    }
    cargo
        .env("CARGO_HOME", &place.cargo_home)
        // Unlike RUSTFLAGS it may hold paths with blanks, and it replaces what a user has configured.
        .env("CARGO_ENCODED_RUSTFLAGS", flags(place, &toolchain, which.max_memory)?)
        .args(["build", "--quiet", "--locked", "--package", which.package, "--lib"])
        .args(["--profile", "artifact", "--target", TARGET])
        .arg("--target-dir")
        .arg(&place.target);
    if place.offline {
        cargo.arg("--offline");
    }
    run(&mut cargo)?;
    let compiled = place.target.join(TARGET).join("artifact").join(which.compiled);
    bind(which.name, &compiled, &place.target.join("bound").join(which.name))
}

/// The compiler's installation.
struct Toolchain {
    sysroot: PathBuf,
    /// The commit it was built from, under which its own sources are known.
    commit: String,
}

impl Toolchain {
    fn find(workspace: &Path) -> Result<Self> {
        let rustc = || {
            let mut rustc = Command::new(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
            rustc.current_dir(workspace);
            rustc
        };
        let sysroot = PathBuf::from(read(rustc().args(["--print", "sysroot"]))?.trim());
        let version = read(rustc().arg("-vV"))?;
        let commit = version
            .lines()
            .find_map(|line| line.strip_prefix("commit-hash: "))
            .context("rustc does not say which commit it is")?;
        if !sysroot.join("lib/rustlib").join(TARGET).join("lib").exists() {
            say("adds the Rust target wasm32-unknown-unknown");
            run(Command::new("rustup").args(["target", "add", TARGET]).current_dir(workspace))
                .with_context(|| format!("the Rust target {TARGET} is missing and rustup cannot add it"))?;
        }
        Ok(Self { sysroot, commit: commit.to_owned() })
    }
}

/// The compiler's flags, separated as `CARGO_ENCODED_RUSTFLAGS` wants them.
fn flags(place: &Place, toolchain: &Toolchain, max_memory: u32) -> Result<OsString> {
    let mut flags = vec![
        remap(&place.workspace, "/src/"),
        remap(&toolchain.sysroot.join("lib/rustlib/src/rust"), &format!("/rustc/{}/", toolchain.commit)),
    ];
    for source in registry_sources(&place.cargo_home)? {
        flags.push(remap(&source, "/cargo/"));
    }
    let vendor = place.workspace.join("vendor");
    if vendor.is_dir() {
        // `cargo vendor --versioned-dirs`; behind the workspace's, because the last match counts.
        flags.push(remap(&vendor, "/cargo/"));
    }
    // What a build script writes.
    flags.push(remap(&place.target, "/target/"));
    flags.extend([
        "-Ctarget-feature=+simd128".into(),
        "-Clink-arg=--no-check-features".into(),
        format!("-Clink-arg=--features={FEATURES}").into(),
        format!("-Clink-arg=--max-memory={max_memory}").into(),
    ]);
    Ok(flags.join("\x1f".as_ref()))
}

/// `--remap-path-prefix=FROM/=to`.
fn remap(from: &Path, to: &str) -> OsString {
    let mut flag = OsString::from("--remap-path-prefix=");
    flag.push(from.join(""));
    flag.push("=");
    flag.push(to);
    flag
}

/// The folders that cargo unpacks crates into: one a registry, and a mirror's has another name. The
/// index has a folder of the same name for each, which is there before anything is unpacked.
fn registry_sources(cargo_home: &Path) -> Result<Vec<PathBuf>> {
    let registry = cargo_home.join("registry");
    let mut names = Vec::new();
    for part in ["src", "index"] {
        let Ok(entries) = fs::read_dir(registry.join(part)) else { continue };
        for entry in entries {
            names.push(entry?.file_name());
        }
    }
    names.sort();
    names.dedup();
    Ok(names.into_iter().map(|name| registry.join("src").join(name)).collect())
}

/// Writes the glue and takes out what only wasm-bindgen, a linker or a debugger reads. This is the
/// library behind wasm-bindgen's command, under the workspace's lock file.
fn bind(name: &str, compiled: &Path, folder: &Path) -> Result<Built> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("cannot empty {}", folder.display()))?;
    }
    let bound = || -> Result<()> {
        let mut output = Bindgen::new()
            .input_path(compiled)
            .out_name(name)
            .web(true)?
            .typescript(false)
            .remove_name_section(true)
            .remove_producers_section(true)
            .omit_default_module_path(true)
            .generate_output()?;
        output.wasm_mut().customs.remove_raw("target_features");
        output.emit(folder)
    };
    bound().with_context(|| format!("wasm-bindgen refuses {}", compiled.display()))?;
    if folder.join("snippets").exists() {
        bail!("a dependency brings JavaScript of its own into the page");
    }
    Ok(Built {
        wasm: fs::read(folder.join(format!("{name}_bg.wasm"))).context("wasm-bindgen wrote no module")?,
        js: fs::read_to_string(folder.join(format!("{name}.js"))).context("wasm-bindgen wrote no glue")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_registry_is_remapped_before_it_is_unpacked() {
        let home = tempfile::tempdir().unwrap();
        for folder in ["src/mirror-1", "index/mirror-1", "index/mirror-2", "cache/mirror-2"] {
            fs::create_dir_all(home.path().join("registry").join(folder)).unwrap();
        }
        let sources = registry_sources(home.path()).unwrap();
        let registry = home.path().join("registry/src");
        assert_eq!(sources, [registry.join("mirror-1"), registry.join("mirror-2")]);
    }

    #[test]
    fn a_remap_ends_in_a_slash_on_both_sides() {
        assert_eq!(remap(Path::new("/a b/c"), "/src/"), "--remap-path-prefix=/a b/c/=/src/");
    }

    #[test]
    fn the_linker_and_the_gate_name_the_same_features() {
        for which in MODULES {
            let allowed = (which.allow)();
            assert_eq!(FEATURES.split(',').collect::<Vec<_>>(), allowed.features, "{}", which.name);
            assert_eq!(u64::from(which.max_memory), allowed.max_pages * 65_536, "{}", which.name);
        }
    }
}
