//! `hedui desk serve` from a fresh folder: by TLS where it is told so, with a backup every night. What counts as a
//! failure: a page or a session that goes in clear, a desk that listens beyond this computer without TLS, a night
//! without a backup that restores.

#![expect(clippy::unwrap_used, reason = "a test may panic, its helpers too")]

use std::io::{BufRead as _, BufReader};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

struct Folder(tempfile::TempDir);

impl Folder {
    /// A folder with a new desk, made as a newcomer does.
    fn with_a_desk() -> (Self, String) {
        let folder = Self(tempfile::tempdir().unwrap());
        std::fs::write(folder.path("words"), "correct horse battery\n").unwrap();
        let made = folder.hedui(&[
            "desk",
            "init",
            "--json",
            "--data",
            "desk",
            "--passphrase-file",
            "words",
            "--admin",
            "admin1",
            "--admin-name",
            "王敏",
            "--admin-number",
            "1001",
        ]);
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let made: serde_json::Value = serde_json::from_slice(&made.stdout).unwrap();
        (folder, made.get("first_password").unwrap().as_str().unwrap().to_owned())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn hedui(&self, words: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_hedui")).args(words).current_dir(self.0.path()).output().unwrap()
    }

    fn serve(&self, more: &[&str]) -> Desk {
        let mut process = Command::new(env!("CARGO_BIN_EXE_hedui"))
            .args(["desk", "serve", "--json", "--data", "desk", "--passphrase-file", "words"])
            .args(more)
            .current_dir(self.0.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = String::new();
        let mut out = BufReader::new(process.stdout.take().unwrap());
        while !said.contains('}') {
            assert!(out.read_line(&mut said).unwrap() > 0, "it says where it listens");
        }
        let url = said.split('"').nth(3).unwrap().to_owned();
        Desk { process, url }
    }
}

struct Desk {
    process: Child,
    url: String,
}

impl Drop for Desk {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn browser(
    roots: RootCertStore,
    address: &str,
) -> Result<StreamOwned<ClientConnection, TcpStream>, std::io::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_root_certificates(roots).with_no_client_auth();
    let name = ServerName::try_from("127.0.0.1").unwrap();
    let mut connection = ClientConnection::new(Arc::new(config), name).unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    connection.complete_io(&mut stream)?;
    Ok(StreamOwned::new(connection, stream))
}

fn talk(stream: &mut (impl std::io::Read + std::io::Write), request: &str) -> String {
    stream.write_all(request.as_bytes()).unwrap();
    let mut reply = Vec::new();
    // A peer that hangs up without a farewell has said all the same.
    let _ = stream.read_to_end(&mut reply);
    String::from_utf8_lossy(&reply).into_owned()
}

#[test]
fn with_a_certificate_pages_go_by_tls_and_not_otherwise() {
    let (folder, first) = Folder::with_a_desk();
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-days",
            "2",
        ])
        .args(["-subj", "/CN=desk", "-addext", "subjectAltName=IP:127.0.0.1"])
        .args(["-addext", "basicConstraints=critical,CA:FALSE", "-keyout", "key.pem", "-out", "cert.pem"])
        .current_dir(folder.0.path())
        .output()
        .unwrap_or_else(|error| panic!("openssl: {error}; install openssl"));
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let desk = folder.serve(&["--listen", "127.0.0.1:0", "--tls-cert", "cert.pem", "--tls-key", "key.pem"]);
    let address = desk.url.strip_prefix("https://").unwrap_or_else(|| panic!("{}", desk.url)).to_owned();

    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(folder.path("cert.pem")).unwrap()).unwrap();
    let mut stream = browser(roots.clone(), &address).unwrap();
    let page =
        talk(&mut stream, &format!("GET /sign-in HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n"));
    assert!(page.starts_with("HTTP/1.1 200"), "{page}");
    assert!(page.contains("strict-transport-security: max-age=") && page.contains("</html>"), "{page}");
    // A session's cookie is bound to this host and to TLS.
    let body = format!("code=admin1&password={first}&one_time=");
    let length = body.len();
    let mut stream = browser(roots, &address).unwrap();
    let signed = talk(
        &mut stream,
        &format!(
            "POST /sign-in HTTP/1.1\r\nhost: {address}\r\norigin: https://{address}\r\nsec-fetch-site: same-origin\r\n\
             content-type: application/x-www-form-urlencoded\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
        ),
    );
    assert!(signed.contains("location: /set-up"), "{signed}");
    assert!(signed.contains("set-cookie: __Host-desk=") && signed.contains("; Secure"), "{signed}");

    let mut clear = TcpStream::connect(&address).unwrap();
    let refused =
        talk(&mut clear, &format!("GET /sign-in HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n"));
    assert!(!refused.contains("HTTP/1.1 200") && !refused.contains("html"), "a page in clear: {refused}");
    assert!(browser(RootCertStore::empty(), &address).is_err(), "whoever does not trust it does not get in");
    drop(desk);

    let beyond = folder.hedui(&[
        "desk",
        "serve",
        "--data",
        "desk",
        "--passphrase-file",
        "words",
        "--listen",
        "0.0.0.0:0",
    ]);
    assert_eq!(beyond.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&beyond.stderr).contains("by TLS only"), "{beyond:?}");
    let half = folder.hedui(&["desk", "serve", "--data", "desk", "--tls-cert", "cert.pem"]);
    assert_eq!(half.status.code(), Some(2), "a certificate without its key");
    std::fs::write(folder.path("key.pem"), "no key").unwrap();
    let words = ["--listen", "127.0.0.1:0", "--tls-cert", "cert.pem", "--tls-key", "key.pem"];
    let wrong = [&["desk", "serve", "--data", "desk", "--passphrase-file", "words"][..], &words].concat();
    let wrong = folder.hedui(&wrong);
    assert_eq!(wrong.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("certificate or its key"), "{wrong:?}");
}

#[test]
fn a_running_desk_makes_the_nights_backup() {
    let (folder, _) = Folder::with_a_desk();
    let key = folder.hedui(&[
        "key",
        "new",
        "--role",
        "officer",
        "--code",
        "bf01",
        "--name",
        "备份",
        "--out",
        "backup.key.hedui",
        "--passphrase-file",
        "words",
    ]);
    assert!(key.status.success(), "{}", String::from_utf8_lossy(&key.stderr));
    for wrong in ["24:00", "2:30", "02:60", "night"] {
        let words = ["--backup-to", "backup.key.hedui", "--backup-folder", "nights", "--backup-at", wrong];
        let refused = folder.hedui(&[&["desk", "serve", "--data", "desk"][..], &words].concat());
        assert_eq!(refused.status.code(), Some(2), "{wrong}");
    }
    let desk = folder.serve(&[
        "--listen",
        "127.0.0.1:0",
        "--backup-to",
        "backup.key.hedui",
        "--backup-folder",
        "nights",
        "--backup-at",
        "00:00",
    ]);
    let begun = Instant::now();
    let made = loop {
        let found = std::fs::read_dir(folder.path("nights")).into_iter().flatten();
        let found = found
            .map(|file| file.unwrap().path())
            .find(|path| path.extension().is_some_and(|e| e == "hedui"));
        match found {
            Some(path) => break path,
            None => assert!(begun.elapsed() < Duration::from_secs(120), "no backup"),
        }
        std::thread::sleep(Duration::from_millis(50));
    };
    drop(desk);
    let made = made.to_str().unwrap();
    let restored = folder.hedui(&[
        "desk",
        "restore",
        "--backup",
        made,
        "--key",
        "backup.key.hedui",
        "--passphrase-file",
        "words",
        "--data",
        "new",
    ]);
    assert!(restored.status.success(), "{}", String::from_utf8_lossy(&restored.stderr));
    let checked = folder.hedui(&["desk", "verify", "--data", "new"]);
    assert_eq!(checked.stdout, restored.stdout);
}

#[test]
fn what_is_there_is_not_overwritten_and_errors_name_the_folder() {
    let (folder, _) = Folder::with_a_desk();
    let told = |words: &[&str]| {
        let output = folder.hedui(&[&["desk"], words].concat());
        assert_eq!(output.status.code(), Some(1), "{words:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    let admin =
        ["--admin", "admin1", "--admin-name", "王敏", "--admin-number", "1001", "--passphrase-file", "words"];
    let again = told(&[&["init", "--data", "desk"][..], &admin].concat());
    assert!(again.starts_with("error: data: there is a desk in this folder already"), "{again}");
    let key = "ab".repeat(32);
    std::fs::write(folder.path("taken"), "x").unwrap();
    let taken = told(&["backup", "--data", "desk", "--to", &key, "--out", "taken"]);
    assert_eq!(taken, "error: out: the file is there already (taken)\n");
    assert_eq!(std::fs::read(folder.path("taken")).unwrap(), b"x");
    let absent = told(&["backup", "--data", "nowhere", "--to", &key, "--out", "new"]);
    assert!(
        absent.contains("there is no desk in this folder") && absent.ends_with("(nowhere)\n"),
        "{absent}"
    );
    assert!(!folder.path("new").exists());
    let short = ["init", "--data", "other", "--admin", "a1", "--admin-name", "王", "--admin-number", "1"];
    std::fs::write(folder.path("short"), "eleven byte").unwrap();
    let short = told(&[&short[..], &["--passphrase-file", "short"]].concat());
    assert!(short.contains("at least 12 bytes") && !folder.path("other").exists(), "{short}");
}
