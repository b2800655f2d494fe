//! A strict stand-in for the Gemini services.
