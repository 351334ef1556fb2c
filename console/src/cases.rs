//! Steps 1 to 3: who authorised the check, which township commissioned it, whether it is accepted.

pub mod template;
