//! Probe, plan and budget media for Gemini models: joins media to models, owns threads and memory.
