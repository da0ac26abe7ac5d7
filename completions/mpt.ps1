# Completion of mpt for PowerShell, made by `mpt completions powershell`. Nothing here but the names
# of jobs and of earlier runs needs mpt to run.

Register-ArgumentCompleter -Native -CommandName mpt -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    # What may follow each command: a word, an equals sign, what it means.
    $words = @{
        '' = @('--help=Show help', '-h=Show help', '--version=Print the version')
        ' ' = @('process=check clips, make them uniform, join and prove the reel', 'concat=join only: copy frames where that is safe', 'batch=run many jobs side by side, from files or stdin', 'work=do one step of a plan on any machine, for clusters', 'validate=report which clips can be used, and their format', 'health=check everything that mpt needs on this machine', 'report=report the result, time and memory of an earlier run', 'config=show, create or describe settings', 'cache=show, prune or clear the cache of finished clips', 'completions=print the completion script of a shell')
        'config' = @('--help=Show help', '-h=Show help')
        'config ' = @('show=print each setting and where its value comes from', 'init=write a file with every setting, explained', 'schema=print the JSON Schema of the settings, for editors')
        'process' = @('--null=Paths on stdin end with NUL, as those of find -print0', '-0=Paths on stdin end with NUL, as those of find -print0', '--job=Take clips (trimmed, muted) and options from a file with one job', '--tasks=Write each step to do as a file for mpt work into this new folder, and do none', '--output=The reel: .mp4, .mov or .mkv', '-o=The reel: .mp4, .mov or .mkv', '--contact-sheet=Also write an image with one frame of each clip: .png, .jpg', '--poster=Also write an image of the best frame: .png, .jpg', '--overwrite=Replace an existing output', '-y=Replace an existing output', '--if-changed=Do nothing if the output is up to date; replace only what mpt wrote', '--dry-run=Print the plan and write nothing', '-n=Print the plan and write nothing', '--preset=Size, rate and audio of a platform', '--form=Take size, rate and codec from options and defaults, or from the clips', '--size=Frame size', '--fps=Frame rate: auto, or such as 30 or 30000/1001', '--fit=How a frame of another shape fills the reel', '--background=Colour of bars and behind transparent parts, a name or #rrggbb', '--dynamic-range=Dynamic range of the reel; auto is that of most seconds of the clips', '--max-clip-duration=Use at most this many seconds of each clip', '--codec=Video codec', '--encoder=Encoder of ffmpeg, such as h264_nvenc; auto takes the first that works', '--quality=Trade between size, speed and quality', '--crf=Constant rate factor, lower is better', '--encoder-preset=Preset of the encoder, such as slow', '--encoder-threads=Threads of one encoder', '--audio-codec=Audio codec; auto is that of the clips', '--audio-rate=Audio samples per second, or auto', '--audio-channels=Audio channels: 1, 2, 6 (5.1) or auto', '--audio-tracks=Audio tracks of a clip that are used, or the number of one', '--loudness=Loudness of the reel in LUFS, such as -14', '--even-out=Bring all clips to one loudness, by at most 12 dB each', '--order=Put the clips in this order; time is that of recording', '--mode=Keep that order, or shuffle the clips', '--seed=Makes a random order repeatable', '--copy=Clips that may be copied; of compatible ones some players show black', '--no-chapters=Leave out the chapters with the names of the clips', '--no-fallback=Fail instead of using another encoder or join method', '--on-error=Create no reel if a clip is bad, or leave that clip out', '--min-success-rate=Smallest share of good clips, 0 to 1, with --on-error skip', '--jobs=Clips at a time', '-j=Clips at a time', '--clip-timeout=Time limit of one clip', '--stall-timeout=Longest time without progress of a clip', '--deadline=Stop after this time; the next run continues', '--max-memory=Memory budget of mpt and all its processes, such as 2GiB', '--no-cache=Neither use nor keep finished clips', '--paranoid=Read inputs again even if size and times are unchanged', '--keep-temp=Leave temporary files, for debugging', '--metrics-file=Write metrics for Prometheus to this file, in place of that of the last run', '--manifest=Write hashes and commands to this file, in place of that of the last run', '--config=Read this configuration instead of ./mpt.toml', '-c=Read this configuration instead of ./mpt.toml', '--json=Print one JSON document and nothing else', '--jsonl=Print one JSON object per event, the result last', '--quiet=Show only errors', '-q=Show only errors', '--verbose=Show details and tracebacks', '-v=Show details and tracebacks', '--log-file=Append all that happens to this file', '--log-format=Form of the log file', '--color=When to use colours', '--help=Show help', '-h=Show help')
        'concat' = @('--null=Paths on stdin end with NUL, as those of find -print0', '-0=Paths on stdin end with NUL, as those of find -print0', '--method=How to join', '--output=The reel: .mp4, .mov or .mkv', '-o=The reel: .mp4, .mov or .mkv', '--contact-sheet=Also write an image with one frame of each clip: .png, .jpg', '--poster=Also write an image of the best frame: .png, .jpg', '--overwrite=Replace an existing output', '-y=Replace an existing output', '--if-changed=Do nothing if the output is up to date; replace only what mpt wrote', '--dry-run=Print the plan and write nothing', '-n=Print the plan and write nothing', '--preset=Size, rate and audio of a platform', '--form=Take size, rate and codec from options and defaults, or from the clips', '--size=Frame size', '--fps=Frame rate: auto, or such as 30 or 30000/1001', '--fit=How a frame of another shape fills the reel', '--background=Colour of bars and behind transparent parts, a name or #rrggbb', '--dynamic-range=Dynamic range of the reel; auto is that of most seconds of the clips', '--max-clip-duration=Use at most this many seconds of each clip', '--codec=Video codec', '--encoder=Encoder of ffmpeg, such as h264_nvenc; auto takes the first that works', '--quality=Trade between size, speed and quality', '--crf=Constant rate factor, lower is better', '--encoder-preset=Preset of the encoder, such as slow', '--encoder-threads=Threads of one encoder', '--audio-codec=Audio codec; auto is that of the clips', '--audio-rate=Audio samples per second, or auto', '--audio-channels=Audio channels: 1, 2, 6 (5.1) or auto', '--audio-tracks=Audio tracks of a clip that are used, or the number of one', '--loudness=Loudness of the reel in LUFS, such as -14', '--even-out=Bring all clips to one loudness, by at most 12 dB each', '--order=Put the clips in this order; time is that of recording', '--mode=Keep that order, or shuffle the clips', '--seed=Makes a random order repeatable', '--copy=Clips that may be copied; of compatible ones some players show black', '--no-chapters=Leave out the chapters with the names of the clips', '--no-fallback=Fail instead of using another encoder or join method', '--on-error=Create no reel if a clip is bad, or leave that clip out', '--min-success-rate=Smallest share of good clips, 0 to 1, with --on-error skip', '--jobs=Clips at a time', '-j=Clips at a time', '--clip-timeout=Time limit of one clip', '--stall-timeout=Longest time without progress of a clip', '--deadline=Stop after this time; the next run continues', '--max-memory=Memory budget of mpt and all its processes, such as 2GiB', '--no-cache=Neither use nor keep finished clips', '--paranoid=Read inputs again even if size and times are unchanged', '--keep-temp=Leave temporary files, for debugging', '--metrics-file=Write metrics for Prometheus to this file, in place of that of the last run', '--manifest=Write hashes and commands to this file, in place of that of the last run', '--config=Read this configuration instead of ./mpt.toml', '-c=Read this configuration instead of ./mpt.toml', '--json=Print one JSON document and nothing else', '--jsonl=Print one JSON object per event, the result last', '--quiet=Show only errors', '-q=Show only errors', '--verbose=Show details and tracebacks', '-v=Show details and tracebacks', '--log-file=Append all that happens to this file', '--log-format=Form of the log file', '--color=When to use colours', '--help=Show help', '-h=Show help')
        'batch' = @('--only=Run this job alone; may be given again for more', '--overwrite=Replace an existing output', '-y=Replace an existing output', '--if-changed=Do nothing if the output is up to date; replace only what mpt wrote', '--dry-run=Print the plan and write nothing', '-n=Print the plan and write nothing', '--preset=Size, rate and audio of a platform', '--form=Take size, rate and codec from options and defaults, or from the clips', '--size=Frame size', '--fps=Frame rate: auto, or such as 30 or 30000/1001', '--fit=How a frame of another shape fills the reel', '--background=Colour of bars and behind transparent parts, a name or #rrggbb', '--dynamic-range=Dynamic range of the reel; auto is that of most seconds of the clips', '--max-clip-duration=Use at most this many seconds of each clip', '--codec=Video codec', '--encoder=Encoder of ffmpeg, such as h264_nvenc; auto takes the first that works', '--quality=Trade between size, speed and quality', '--crf=Constant rate factor, lower is better', '--encoder-preset=Preset of the encoder, such as slow', '--encoder-threads=Threads of one encoder', '--audio-codec=Audio codec; auto is that of the clips', '--audio-rate=Audio samples per second, or auto', '--audio-channels=Audio channels: 1, 2, 6 (5.1) or auto', '--audio-tracks=Audio tracks of a clip that are used, or the number of one', '--loudness=Loudness of the reel in LUFS, such as -14', '--even-out=Bring all clips to one loudness, by at most 12 dB each', '--order=Put the clips in this order; time is that of recording', '--mode=Keep that order, or shuffle the clips', '--seed=Makes a random order repeatable', '--copy=Clips that may be copied; of compatible ones some players show black', '--no-chapters=Leave out the chapters with the names of the clips', '--no-fallback=Fail instead of using another encoder or join method', '--on-error=Create no reel if a clip is bad, or leave that clip out', '--min-success-rate=Smallest share of good clips, 0 to 1, with --on-error skip', '--jobs=Clips at a time', '-j=Clips at a time', '--clip-timeout=Time limit of one clip', '--stall-timeout=Longest time without progress of a clip', '--deadline=Stop after this time; the next run continues', '--max-memory=Memory budget of mpt and all its processes, such as 2GiB', '--no-cache=Neither use nor keep finished clips', '--paranoid=Read inputs again even if size and times are unchanged', '--keep-temp=Leave temporary files, for debugging', '--metrics-file=Write metrics for Prometheus to this file, in place of that of the last run', '--manifest=Write hashes and commands to this file, in place of that of the last run', '--junit=Write JUnit XML for CI servers to this file, in place of that of the last run', '--fail-fast=Start no job after a failed one, and none at all if one is refused', '--config=Read this configuration instead of ./mpt.toml', '-c=Read this configuration instead of ./mpt.toml', '--json=Print one JSON document and nothing else', '--jsonl=Print one JSON object per event, the result last', '--quiet=Show only errors', '-q=Show only errors', '--verbose=Show details and tracebacks', '-v=Show details and tracebacks', '--log-file=Append all that happens to this file', '--log-format=Form of the log file', '--color=When to use colours', '--help=Show help', '-h=Show help')
        'work' = @('--cache-dir=Folder of the cache, which all machines share', '--config=Read this configuration instead of ./mpt.toml', '-c=Read this configuration instead of ./mpt.toml', '--json=Print one JSON document and nothing else', '--jsonl=Print one JSON object per event, the result last', '--quiet=Show only errors', '-q=Show only errors', '--verbose=Show details and tracebacks', '-v=Show details and tracebacks', '--log-file=Append all that happens to this file', '--log-format=Form of the log file', '--color=When to use colours', '--help=Show help', '-h=Show help')
        'validate' = @('--null=Paths on stdin end with NUL, as those of find -print0', '-0=Paths on stdin end with NUL, as those of find -print0', '--deep=Decode every frame of every clip, which takes long', '--strict=Treat warnings as errors', '--audio-tracks=Audio tracks of a clip that are used, or the number of one', '--junit=Write JUnit XML for CI servers to this file, in place of that of the last run', '--metrics-file=Write metrics for Prometheus to this file, in place of that of the last run', '--config=Read this configuration instead of ./mpt.toml', '-c=Read this configuration instead of ./mpt.toml', '--json=Print one JSON document and nothing else', '--jsonl=Print one JSON object per event, the result last', '--quiet=Show only errors', '-q=Show only errors', '--verbose=Show details and tracebacks', '-v=Show details and tracebacks', '--log-file=Append all that happens to this file', '--log-format=Form of the log file', '--color=When to use colours', '--help=Show help', '-h=Show help')
        'health' = @('--deep=Also create and verify a small reel', '--config=Read this configuration instead of ./mpt.toml', '-c=Read this configuration instead of ./mpt.toml', '--json=Print one JSON document and nothing else', '--jsonl=Print one JSON object per event, the result last', '--quiet=Show only errors', '-q=Show only errors', '--verbose=Show details and tracebacks', '-v=Show details and tracebacks', '--log-file=Append all that happens to this file', '--log-format=Form of the log file', '--color=When to use colours', '--help=Show help', '-h=Show help')
        'report' = @('--html=Also write the report as one HTML page without external files', '--limit=Most runs of mpt report list', '--overwrite=Replace an existing page', '-y=Replace an existing page', '--config=Read this configuration instead of ./mpt.toml', '-c=Read this configuration instead of ./mpt.toml', '--json=Print one JSON document and nothing else', '--jsonl=Print one JSON object per event, the result last', '--quiet=Show only errors', '-q=Show only errors', '--verbose=Show details and tracebacks', '-v=Show details and tracebacks', '--log-file=Append all that happens to this file', '--log-format=Form of the log file', '--color=When to use colours', '--help=Show help', '-h=Show help')
        'config show' = @('--preset=Size, rate and audio of a platform', '--form=Take size, rate and codec from options and defaults, or from the clips', '--size=Frame size', '--fps=Frame rate: auto, or such as 30 or 30000/1001', '--fit=How a frame of another shape fills the reel', '--background=Colour of bars and behind transparent parts, a name or #rrggbb', '--dynamic-range=Dynamic range of the reel; auto is that of most seconds of the clips', '--max-clip-duration=Use at most this many seconds of each clip', '--codec=Video codec', '--encoder=Encoder of ffmpeg, such as h264_nvenc; auto takes the first that works', '--quality=Trade between size, speed and quality', '--crf=Constant rate factor, lower is better', '--encoder-preset=Preset of the encoder, such as slow', '--encoder-threads=Threads of one encoder', '--audio-codec=Audio codec; auto is that of the clips', '--audio-rate=Audio samples per second, or auto', '--audio-channels=Audio channels: 1, 2, 6 (5.1) or auto', '--audio-tracks=Audio tracks of a clip that are used, or the number of one', '--loudness=Loudness of the reel in LUFS, such as -14', '--even-out=Bring all clips to one loudness, by at most 12 dB each', '--order=Put the clips in this order; time is that of recording', '--mode=Keep that order, or shuffle the clips', '--seed=Makes a random order repeatable', '--copy=Clips that may be copied; of compatible ones some players show black', '--no-chapters=Leave out the chapters with the names of the clips', '--no-fallback=Fail instead of using another encoder or join method', '--on-error=Create no reel if a clip is bad, or leave that clip out', '--min-success-rate=Smallest share of good clips, 0 to 1, with --on-error skip', '--jobs=Clips at a time', '-j=Clips at a time', '--clip-timeout=Time limit of one clip', '--stall-timeout=Longest time without progress of a clip', '--deadline=Stop after this time; the next run continues', '--max-memory=Memory budget of mpt and all its processes, such as 2GiB', '--no-cache=Neither use nor keep finished clips', '--paranoid=Read inputs again even if size and times are unchanged', '--config=Read this configuration instead of ./mpt.toml', '-c=Read this configuration instead of ./mpt.toml', '--json=Print one JSON document and nothing else', '--jsonl=Print one JSON object per event, the result last', '--quiet=Show only errors', '-q=Show only errors', '--verbose=Show details and tracebacks', '-v=Show details and tracebacks', '--log-file=Append all that happens to this file', '--log-format=Form of the log file', '--color=When to use colours', '--help=Show help', '-h=Show help')
        'config init' = @('--user=Write the file of the user, which applies in every folder', '--overwrite=Replace an existing file', '-y=Replace an existing file', '--config=Read this configuration instead of ./mpt.toml', '-c=Read this configuration instead of ./mpt.toml', '--json=Print one JSON document and nothing else', '--jsonl=Print one JSON object per event, the result last', '--quiet=Show only errors', '-q=Show only errors', '--verbose=Show details and tracebacks', '-v=Show details and tracebacks', '--log-file=Append all that happens to this file', '--log-format=Form of the log file', '--color=When to use colours', '--help=Show help', '-h=Show help')
        'config schema' = @('--config=Read this configuration instead of ./mpt.toml', '-c=Read this configuration instead of ./mpt.toml', '--json=Print one JSON document and nothing else', '--jsonl=Print one JSON object per event, the result last', '--quiet=Show only errors', '-q=Show only errors', '--verbose=Show details and tracebacks', '-v=Show details and tracebacks', '--log-file=Append all that happens to this file', '--log-format=Form of the log file', '--color=When to use colours', '--help=Show help', '-h=Show help')
        'cache' = @('--config=Read this configuration instead of ./mpt.toml', '-c=Read this configuration instead of ./mpt.toml', '--json=Print one JSON document and nothing else', '--jsonl=Print one JSON object per event, the result last', '--quiet=Show only errors', '-q=Show only errors', '--verbose=Show details and tracebacks', '-v=Show details and tracebacks', '--log-file=Append all that happens to this file', '--log-format=Form of the log file', '--color=When to use colours', '--help=Show help', '-h=Show help')
        'completions' = @('--help=Show help', '-h=Show help')
    }
    # What each option or argument takes: a kind, then words.
    $wanted = @{
        '--job' = @('toml')
        '--tasks' = @('text')
        '--output' = @('file')
        '-o' = @('file')
        '--contact-sheet' = @('file')
        '--poster' = @('file')
        '--preset' = @('words', 'tiktok', 'reels', 'shorts', 'youtube', 'square')
        '--form' = @('words', 'given', 'auto')
        '--size' = @('words', '1080x1920', '1920x1080', '1080x1080')
        '--fps' = @('words', 'auto', '24', '25', '30', '50', '60', '30000/1001')
        '--fit' = @('words', 'contain', 'cover', 'stretch', 'blur')
        '--background' = @('words', 'black', 'white', 'gray', 'red', 'yellow', 'green', 'blue', 'navy')
        '--dynamic-range' = @('words', 'sdr', 'hlg', 'pq', 'auto')
        '--max-clip-duration' = @('text')
        '--codec' = @('words', 'h264', 'hevc', 'av1')
        '--encoder' = @('encoder')
        '--quality' = @('words', 'draft', 'balanced', 'high')
        '--crf' = @('text')
        '--encoder-preset' = @('text')
        '--encoder-threads' = @('text')
        '--audio-codec' = @('words', 'auto', 'aac', 'opus', 'ac3', 'eac3', 'flac', 'alac', 'pcm')
        '--audio-rate' = @('text')
        '--audio-channels' = @('text')
        '--audio-tracks' = @('words', 'auto', 'first', 'mix')
        '--loudness' = @('text')
        '--order' = @('words', 'given', 'name', 'time')
        '--mode' = @('words', 'sequential', 'random')
        '--seed' = @('text')
        '--copy' = @('words', 'identical', 'compatible', 'never')
        '--on-error' = @('words', 'fail', 'skip')
        '--min-success-rate' = @('text')
        '--jobs' = @('text')
        '-j' = @('text')
        '--clip-timeout' = @('text')
        '--stall-timeout' = @('text')
        '--deadline' = @('text')
        '--max-memory' = @('text')
        '--metrics-file' = @('file')
        '--manifest' = @('file')
        '--config' = @('toml')
        '-c' = @('toml')
        '--log-file' = @('file')
        '--log-format' = @('words', 'text', 'json')
        '--color' = @('words', 'auto', 'always', 'never')
        '--method' = @('words', 'auto', 'copy', 'reencode', 'moviepy')
        '--only' = @('job')
        '--junit' = @('file')
        '--cache-dir' = @('text')
        '--html' = @('file')
        '--limit' = @('text')
        'process *' = @('file')
        'concat *' = @('file')
        'batch *' = @('toml')
        'work 0' = @('text')
        'validate *' = @('file')
        'report 0' = @('workflow')
        'config show 0' = @('words', 'video', 'encode', 'audio', 'concat', 'processing', 'memory', 'validation', 'batch', 'cache', 'paths', 'ffmpeg', 'video.form', 'video.size', 'video.fps', 'video.fit', 'video.background', 'video.dynamic_range', 'video.max_clip_duration', 'encode.codec', 'encode.encoder', 'encode.quality', 'encode.threads', 'encode.crf', 'encode.preset', 'encode.fallback', 'audio.codec', 'audio.bitrate', 'audio.sample_rate', 'audio.channels', 'audio.tracks', 'audio.loudness', 'audio.true_peak', 'audio.even_out', 'concat.order', 'concat.mode', 'concat.seed', 'concat.copy', 'concat.timeout', 'concat.fallback', 'concat.chapters', 'processing.on_error', 'processing.min_success_rate', 'processing.jobs', 'processing.clip_timeout', 'processing.stall_timeout', 'processing.deadline', 'processing.max_clips', 'memory.max', 'memory.pressure_threshold', 'memory.cleanup_interval', 'validation.max_file_size', 'validation.min_width', 'validation.min_height', 'validation.max_width', 'validation.max_height', 'validation.max_pixels', 'validation.min_aspect_ratio', 'validation.max_aspect_ratio', 'validation.max_duration', 'validation.max_streams', 'validation.probe_timeout', 'validation.probe_memory', 'batch.max_jobs', 'cache.enabled', 'cache.paranoid', 'cache.max_size', 'cache.dir', 'paths.temp', 'paths.state', 'ffmpeg.binary')
        'config init 0' = @('file')
        'cache 0' = @('words', 'info', 'prune', 'clear')
        'completions 0' = @('words', 'bash', 'zsh', 'fish', 'powershell')
    }
    $encoders = @{
        'h264' = @('libx264', 'h264_nvenc', 'h264_qsv', 'h264_amf', 'h264_videotoolbox', 'h264_vaapi', 'h264_vulkan')
        'hevc' = @('libx265', 'hevc_nvenc', 'hevc_qsv', 'hevc_amf', 'hevc_videotoolbox', 'hevc_vaapi', 'hevc_vulkan')
        'av1' = @('libsvtav1', 'av1_nvenc', 'av1_qsv', 'av1_amf', 'av1_vaapi', 'av1_vulkan')
    }

    $line = @($commandAst.CommandElements | Where-Object { $_.Extent.EndOffset -lt $cursorPosition } |
            ForEach-Object { $_.Extent.Text.Trim("'", '"') })
    $path = ''; $option = ''; $codec = ''; $files = @()
    for ($i = 1; $i -lt $line.Count; $i++) {
        $each = $line[$i]
        if ($option) {
            if ($option -ceq '--codec') { $codec = $each }
            $option = ''
        } elseif (-not $path) { $path = $each }
        elseif ($each -notlike '-*' -and @('config') -ccontains $path) { $path = "$path $each" }
        elseif ($each -like '-?*') { if ($wanted.ContainsKey($each)) { $option = $each } }
        else { $files += "--of=$each" }
    }

    $take = @(
        if ($option) { $wanted[$option] }
        elseif ($wordToComplete -like '-*' -or $words.ContainsKey("$path ")) { }
        elseif ($wanted.ContainsKey("$path $($files.Count)")) { $wanted["$path $($files.Count)"] }
        else { $wanted["$path *"] }
    )
    $kind = if ($take.Count) { $take[0] } else { '' }
    $program = $line[0]
    $offers = @(
        if ($kind -eq 'words') { $take | Select-Object -Skip 1 }
        elseif ($kind -eq 'encoder') {
            'auto'
            if ($encoders.ContainsKey($codec)) { $encoders[$codec] } else { $encoders.Values | ForEach-Object { $_ } }
        }
        elseif ($kind -eq 'job') { & $program completions jobs @files 2>$null }
        elseif ($kind -eq 'workflow') { & $program completions workflows 2>$null }
        elseif ($kind) { } # PowerShell itself offers files where there is no answer
        elseif ($wordToComplete -like '-*') { $words[$path] }
        else { $words["$path "] }
    )
    foreach ($offer in $offers) {
        $word, $text = if ($kind) { $offer, $offer } else { $offer -split '=', 2 }
        if ($word -like "$wordToComplete*") {
            $quoted = if ($word -match '\s') { "'$word'" } else { $word }
            [System.Management.Automation.CompletionResult]::new($quoted, $word, 'ParameterValue', $text)
        }
    }
}
