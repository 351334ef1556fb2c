//! The implementation in Python, `tests/interop/interop.py`, over pipes: one line asks, one line answers.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::OnceLock;
use std::thread;

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
            let made = Command::new("bash").arg(root.join("tests/interop/run.sh")).arg("venv").status();
            assert!(
                made.is_ok_and(|status| status.success()),
                "tests/interop needs python3 with venv and pip"
            );
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
    pub fn ask(&mut self, requests: &[Value]) -> Vec<Value> {
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
}

impl Drop for Python {
    fn drop(&mut self) {
        drop(self.stdin.take());
        let _ended = self.child.wait();
    }
}
