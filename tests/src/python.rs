//! The implementation in Python, `tests/interop/interop.py`, over pipes: one line asks, one line answers.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::OnceLock;
use std::thread;

use protocol::secret::{OpeningKey, SigningKey};
use protocol::value::Base64;
use serde_json::Value;

/// A running `interop.py`, ended with this value.
#[derive(Debug)]
pub struct Python {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
}

impl Python {
    /// Starts it, in an environment that is made once.
    ///
    /// # Panics
    /// With what is missing, when there is no such environment.
    pub fn start() -> Self {
        let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
        static VENV: OnceLock<()> = OnceLock::new();
        VENV.get_or_init(|| {
            fs::create_dir_all(root.join("target")).unwrap();
            let one_at_a_time = File::create(root.join("target/interop.lock")).unwrap();
            one_at_a_time.lock().unwrap();
            let made = Command::new("bash").arg(root.join("tests/interop/run.sh")).arg("venv").output();
            let problem = match made {
                Ok(made) if made.status.success() => return,
                Ok(made) => String::from_utf8_lossy(&made.stderr).lines().next_back().unwrap_or_default().to_owned(),
                Err(error) => error.to_string(),
            };
            panic!("tests/interop needs python3 (3.11 or newer, or the one PYTHON names) with venv and pip: {problem}");
        });
        let mut child = Command::new(root.join("target/interop-venv/bin/python"))
            .arg("-B")
            .arg(root.join("tests/interop/interop.py"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the environment has a python");
        let (stdin, stdout) = (child.stdin.take(), BufReader::new(child.stdout.take().unwrap()));
        Self { child, stdin, stdout }
    }

    /// The replies to `requests`, refusals included.
    ///
    /// # Panics
    /// When there are none, or Python does not understand one.
    pub fn ask_all(&mut self, requests: &[Value]) -> Vec<Value> {
        assert!(!requests.is_empty(), "a runner that asks nothing tests nothing");
        let (stdin, stdout) = (self.stdin.as_mut().unwrap(), &mut self.stdout);
        let replies: Vec<Value> = thread::scope(|scope| {
            scope.spawn(move || {
                for request in requests {
                    stdin.write_all(format!("{request}\n").as_bytes()).unwrap();
                }
                stdin.flush().unwrap();
            });
            let lines = stdout.lines().take(requests.len());
            lines.map(|line| serde_json::from_str(&line.unwrap()).unwrap()).collect()
        });
        assert_eq!(replies.len(), requests.len(), "Python has ended");
        for (request, reply) in requests.iter().zip(&replies) {
            assert_ne!(reply["field"], "request", "{request}: {reply}");
        }
        replies
    }

    /// The reply to a request that is not refused.
    ///
    /// # Panics
    /// When it is refused.
    pub fn ask(&mut self, request: &Value) -> Value {
        let reply = self.ask_all(std::slice::from_ref(request)).remove(0);
        assert!(reply.get("error").is_none(), "{}: {reply}", request["op"]);
        reply
    }

    /// The document that an operation gives.
    ///
    /// # Panics
    /// When it gives none.
    pub fn document(&mut self, request: &Value) -> Vec<u8> {
        from_b64(self.ask(request)["document"].as_str().unwrap())
    }
}

impl Drop for Python {
    fn drop(&mut self) {
        drop(self.stdin.take());
        let _ended = self.child.wait();
    }
}

/// Bytes as Python takes them.
pub fn b64(bytes: &[u8]) -> String {
    Base64(bytes.to_vec()).to_string()
}

/// Bytes as Python gives them.
///
/// # Panics
/// When the text is not base64.
pub fn from_b64(text: &str) -> Vec<u8> {
    text.parse::<Base64>().unwrap().0
}

/// A signing key as Python takes it.
pub fn seed_of(key: &SigningKey) -> String {
    // EXPOSE: Python signs with the same key.
    hex::encode(key.expose())
}

/// An opening key as Python takes it.
pub fn private(key: &OpeningKey) -> String {
    // EXPOSE: Python opens with the same key.
    hex::encode(key.expose())
}
