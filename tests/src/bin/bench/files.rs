//! The institution's exports, written once and kept, with the truth that their writer knows.

use std::fs::{self, File};
use std::io::{BufWriter, Read as _, Write as _};
use std::path::{Path, PathBuf};

use e2e::world::{Bulk, Encoding, World};
use serde::Serialize;

/// Goes up when the writer's bytes change, so that no older file is taken for a new one.
const FORMAT: u32 = 1;

/// A folder of files whose names say all that decides their bytes.
#[derive(Debug)]
pub(crate) struct Store {
    folder: PathBuf,
    world: String,
}

/// One export.
#[derive(Debug, Serialize)]
pub(crate) struct Export {
    #[serde(skip)]
    pub(crate) path: PathBuf,
    pub(crate) encoding: &'static str,
    pub(crate) rows: u64,
    bytes: u64,
    #[serde(flatten)]
    pub(crate) found: Found,
}

/// What every runner has to find in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, serde::Deserialize)]
pub(crate) struct Found {
    /// Applicants.
    pub(crate) people: u64,
    /// Their rows.
    pub(crate) hits: u64,
    /// The sum of the amounts there, in fen.
    pub(crate) fen: u64,
}

impl Store {
    /// The folder of the world of `seed`.
    pub(crate) fn open(folder: &Path, seed: u64, applicants: usize) -> Self {
        fs::create_dir_all(folder).unwrap();
        Self { folder: folder.to_owned(), world: format!("v{FORMAT}-{seed}-{applicants}") }
    }

    /// A file of this folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The roster in clear, for the peers.
    pub(crate) fn roster(&self, world: &World) -> PathBuf {
        let path = self.path(&format!("roster-{}.csv", self.world));
        fs::write(&path, world.numbers_csv()).unwrap();
        path
    }

    /// An export, written unless it is there. Its truth lies beside it, and is written when it is whole.
    pub(crate) fn export(&self, world: &World, rows: u64, encoding: Encoding, hits_share: f64) -> Export {
        let name = format!("customers-{}-{rows}-{hits_share}-{}.csv", self.world, encoding.name());
        let path = self.path(&name);
        let truth = self.path(&format!("{name}.json"));
        let known = fs::read(&truth).ok().and_then(|bytes| serde_json::from_slice::<Bulk>(&bytes).ok());
        let known = known.filter(|bulk| path.metadata().is_ok_and(|file| file.len() == bulk.bytes));
        let bulk = known.unwrap_or_else(|| {
            println!("writes {name}");
            let mut file = BufWriter::new(File::create(&path).unwrap());
            let bulk = world.bulk_csv(rows, encoding, hits_share, &mut file).unwrap();
            file.flush().unwrap();
            fs::write(&truth, serde_json::to_vec(&bulk).unwrap()).unwrap();
            bulk
        });
        let found = Found { people: bulk.people, hits: bulk.hits, fen: bulk.fen };
        Export { path, encoding: encoding.name(), rows: bulk.rows, bytes: bulk.bytes, found }
    }
}

impl Export {
    /// Reads the file once, so that it lies in memory whoever reads it next.
    pub(crate) fn warm(&self) {
        let mut file = File::open(&self.path).unwrap();
        let mut chunk = vec![0; 1 << 20];
        while file.read(&mut chunk).unwrap() > 0 {}
    }
}
