//! Steps 1 to 3: who authorised the check ([`person`], [`authorisation`]), which township commissioned it and
//! whether it is accepted ([`case`]), by when it is due ([`calendar`]); by form or by file ([`template`],
//! [`workbook`], [`import`]).

pub mod authorisation;
pub mod calendar;
pub mod case;
pub mod import;
pub mod person;
pub mod scan;
pub mod table;
pub mod template;
pub mod workbook;
