//! The Merkle tree hash of RFC 9162 §2.1 with SHA-256, over the slots' commitments (SPEC §7).

use sha2::{Digest as _, Sha256};

use crate::value::Digest;

/// `MTH(leaves)`; each leaf is a digest.
pub fn root(leaves: &[Digest]) -> Digest {
    match leaves {
        [] => Digest::of(b""),
        [leaf] => leaf_hash(leaf),
        _ => {
            let (left, right) = leaves.split_at(split(leaves.len()));
            node_hash(&root(left), &root(right))
        }
    }
}

/// The inclusion path of leaf `index` (RFC 9162 §2.1.3.1), nearest sibling first.
pub fn path(leaves: &[Digest], index: usize) -> Vec<Digest> {
    if leaves.len() <= 1 {
        return Vec::new();
    }
    let k = split(leaves.len());
    let (left, right) = leaves.split_at(k);
    let (mut path, sibling) = if index < k {
        (self::path(left, index), root(right))
    } else {
        (self::path(right, index - k), root(left))
    };
    path.push(sibling);
    path
}

/// The root that `leaf` at `index` of `count` leaves gives with `path` (RFC 9162 §2.1.3.2), or `None`
/// when the path has the wrong length.
pub fn root_of_path(leaf: &Digest, index: usize, count: usize, path: &[Digest]) -> Option<Digest> {
    if index >= count {
        return None;
    }
    if count == 1 {
        return path.is_empty().then(|| leaf_hash(leaf));
    }
    let (sibling, rest) = path.split_last()?;
    let k = split(count);
    if index < k {
        Some(node_hash(&root_of_path(leaf, index, k, rest)?, sibling))
    } else {
        Some(node_hash(sibling, &root_of_path(leaf, index - k, count - k, rest)?))
    }
}

/// The largest power of two below `n` (n ≥ 2).
fn split(n: usize) -> usize {
    n.next_power_of_two() / 2
}

fn leaf_hash(leaf: &Digest) -> Digest {
    Digest(Sha256::new().chain_update([0]).chain_update(leaf.as_bytes()).finalize().into())
}

fn node_hash(left: &Digest, right: &Digest) -> Digest {
    Digest(
        Sha256::new()
            .chain_update([1])
            .chain_update(left.as_bytes())
            .chain_update(right.as_bytes())
            .finalize()
            .into(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_leaf_has_a_path_and_no_other_leaf_fits_it() {
        for count in [1_usize, 2, 3, 5, 8, 64] {
            let leaves: Vec<Digest> = (0..count).map(|i| Digest::of(&i.to_be_bytes())).collect();
            let root = root(&leaves);
            for (i, leaf) in leaves.iter().enumerate() {
                let path = path(&leaves, i);
                assert_eq!(root_of_path(leaf, i, count, &path), Some(root));
                let other = Digest::of(b"another");
                assert_ne!(root_of_path(&other, i, count, &path), Some(root));
            }
        }
    }
}
