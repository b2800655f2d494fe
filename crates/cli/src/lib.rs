//! Arguments in, tables or JSON out, exit status.
