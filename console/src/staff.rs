//! Who works at the centre: accounts with roles, passwords and one-time codes, sessions.
//!
//! [`sign_in`] is the door, [`session`] what lies behind it, [`account`] what the administrator does. Maker
//! and checker are told apart by person, not by account: see [`Clerk::same_person`].

pub mod account;
pub mod password;
pub mod session;
pub mod sign_in;
pub mod totp;

use protocol::Code;

use crate::store::Column;

pub(crate) const NAME: Column<String> = Column::new("staff.name");
pub(crate) const TOTP: Column<Vec<u8>> = Column::new("staff.totp");

/// What an account may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// 经办: enters authorisations and commissions, accepts, dispatches.
    Operator,
    /// 复核: confirms what an operator did, or sends it back.
    Reviewer,
    /// 签批: signs reports.
    Head,
    /// 审计: reads everything, changes nothing.
    Auditor,
    /// 系统管理: accounts and settings, no data.
    Administrator,
    /// 密钥员: opens answers together with another.
    Officer,
}

impl Role {
    /// All of them, in the order a list shows them.
    pub const ALL: [Self; 6] =
        [Self::Operator, Self::Reviewer, Self::Head, Self::Officer, Self::Auditor, Self::Administrator];

    /// The name in forms and in the dictionary (`role.…`).
    pub fn name(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Reviewer => "reviewer",
            Self::Head => "head",
            Self::Auditor => "auditor",
            Self::Administrator => "administrator",
            Self::Officer => "officer",
        }
    }

    fn bit(self) -> i64 {
        match self {
            Self::Operator => 1,
            Self::Reviewer => 2,
            Self::Head => 4,
            Self::Auditor => 8,
            Self::Administrator => 16,
            Self::Officer => 32,
        }
    }
}

/// A set of roles that one account may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Roles(i64);

impl Roles {
    /// Roles that fit each other: at least one, and neither the auditor nor the administrator has another.
    pub fn new(roles: &[Role]) -> Option<Self> {
        let alone = |role| roles.contains(&role) && roles.iter().any(|other| *other != role);
        if roles.is_empty() || alone(Role::Auditor) || alone(Role::Administrator) {
            return None;
        }
        Some(Self(roles.iter().fold(0, |bits, role| bits | role.bit())))
    }

    pub(crate) fn from_bits(bits: i64) -> Self {
        Self(bits)
    }

    pub(crate) fn bits(self) -> i64 {
        self.0
    }

    /// Whether `role` is among them.
    pub fn has(self, role: Role) -> bool {
        self.0 & role.bit() != 0
    }

    /// Each of them.
    pub fn iter(self) -> impl Iterator<Item = Role> {
        Role::ALL.into_iter().filter(move |role| self.has(*role))
    }
}

/// Somebody who is signed in.
#[derive(Debug, Clone)]
pub struct Clerk {
    /// The account's row.
    pub id: i64,
    /// The account's code: what the log says.
    pub code: Code,
    /// The person's name.
    pub name: String,
    /// What the account may do.
    pub roles: Roles,
    pub(crate) person: Vec<u8>,
    pub(crate) session: [u8; 32],
    /// Whether password and one-time codes are set; without, nothing else may be done.
    pub(crate) full: bool,
}

impl Clerk {
    /// Whether the account `person_index` belongs to the same person, so that neither may check the other's work.
    pub fn same_person(&self, person_index: &[u8]) -> bool {
        self.person == person_index
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_roles_stand_alone() {
        assert!(Roles::new(&[]).is_none());
        assert!(Roles::new(&[Role::Auditor, Role::Operator]).is_none());
        assert!(Roles::new(&[Role::Administrator, Role::Head]).is_none());
        let both = Roles::new(&[Role::Operator, Role::Officer]).unwrap();
        assert!(both.has(Role::Operator) && both.has(Role::Officer) && !both.has(Role::Reviewer));
        assert_eq!(both.iter().count(), 2);
    }
}
