//! The crate llm-multimodal as a peer: its Gemma 4 image processor.
//!
//! `tokens` answers each line `WIDTH HEIGHT BUDGET` with the tokens of such an image, or `-`.

use std::error::Error;
use std::io::{self, BufRead, Write};

use llm_multimodal::vision::processors::Gemma4Processor;
use llm_multimodal::{PreProcessorConfig, VisionPreProcessor};

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().collect();
    match args.get(1).map(String::as_str) {
        Some("tokens") => tokens(),
        _ => Err("the only job is tokens".into()),
    }
}

/// The released configuration, with another budget.
fn config(budget: usize) -> Result<PreProcessorConfig, Box<dyn Error>> {
    Ok(PreProcessorConfig::from_json(&format!(
        r#"{{"do_resize": true, "do_rescale": true, "do_normalize": false, "resample": 3,
             "patch_size": 16, "pooling_kernel_size": 3, "max_soft_tokens": {budget}}}"#
    ))?)
}

fn tokens() -> Result<(), Box<dyn Error>> {
    for line in io::stdin().lock().lines() {
        let line = line?;
        let numbers: Vec<u32> = line.split(' ').map(str::parse).collect::<Result<_, _>>()?;
        let [width, height, budget] = numbers[..] else { return Err("three numbers".into()) };
        let config = config(usize::try_from(budget)?)?;
        match Gemma4Processor::new().calculate_num_tokens(width, height, &config) {
            Ok(tokens) => writeln!(io::stdout(), "{tokens}")?,
            Err(_) => writeln!(io::stdout(), "-")?,
        }
    }
    Ok(())
}
