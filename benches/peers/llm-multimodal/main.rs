//! The crate llm-multimodal as a peer: its Gemma 4 image processor.
//!
//! `tokens` answers each line `WIDTH HEIGHT BUDGET` with the tokens of such an image, or `-`.
//! `serve PHOTO` is a worker as in `worker.py`: a job decodes the photo (by libjpeg-turbo where its
//! library is found) and makes the encoder's input of 280 tokens, 912 x 672 pixels for 4:3.

use std::error::Error;
use std::hint::black_box;
use std::io::{self, BufRead, Write};
use std::time::Instant;

use llm_multimodal::jpeg_turbo::{decode_jpeg_rgb, turbojpeg_available};
use llm_multimodal::vision::processors::Gemma4Processor;
use llm_multimodal::{PreProcessorConfig, VisionPreProcessor};

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().collect();
    match args.get(1).map(String::as_str) {
        Some("tokens") => tokens(),
        Some("serve") => serve(args.get(2).ok_or("serve needs a photo")?),
        _ => Err("tokens, or serve PHOTO".into()),
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

fn serve(path: &str) -> Result<(), Box<dyn Error>> {
    let (bytes, config) = (std::fs::read(path)?, config(280)?);
    for line in io::stdin().lock().lines() {
        line?;
        let (begun, cpu) = (Instant::now(), cpu()?);
        let picture = match decode_jpeg_rgb(&bytes) {
            Some(picture) if turbojpeg_available() => picture,
            _ => image::load_from_memory(&bytes)?,
        };
        let made = Gemma4Processor::new().preprocess(std::slice::from_ref(&picture), &config)?;
        black_box(made);
        writeln!(io::stdout(), "ok {} {}", begun.elapsed().as_nanos(), self::cpu()? - cpu)?;
    }
    Ok(())
}

/// CPU time of this process in nanoseconds, from its scheduler statistics.
fn cpu() -> Result<u64, Box<dyn Error>> {
    let mut sum = 0;
    for task in std::fs::read_dir("/proc/self/task")? {
        let said = std::fs::read_to_string(task?.path().join("schedstat"))?;
        sum += said.split(' ').next().unwrap_or_default().parse::<u64>()?;
    }
    Ok(sum)
}
