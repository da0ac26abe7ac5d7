# Completion of mpt for fish, made by `mpt completions fish`. Nothing here but the names of jobs and
# of earlier runs needs mpt to run.

# Whether the command on the line is this one: `__mpt_at config show`; without one, whether there is none yet.
function __mpt_at
    set -l words (commandline -opc)[2..]
    set -l wanted (count $argv)
    if test $wanted -eq 0
        test (count $words) -eq 0
    else
        test (count $words) -ge $wanted; and test "$words[1..$wanted]" = "$argv"
    end
end

# Whether the group on the line still lacks its command.
function __mpt_in
    test (commandline -opc | count) -eq 2; and __mpt_at $argv
end

function __mpt_jobs
    set -l words (commandline -opc)
    set -l files (string match -- '*.toml' $words)
    command -q $words[1]; and $words[1] completions jobs --of=$files 2>/dev/null
end

function __mpt_workflows
    set -l words (commandline -opc)
    command -q $words[1]; and $words[1] completions workflows 2>/dev/null
end

# The encoders of the codec on the line, or all.
function __mpt_encoders
    set -l words (commandline -opc)
    set -l codec (string replace -f -r '^--codec=' '' -- $words)
    if set -l place (contains -i -- --codec $words)
        set codec $words[(math $place + 1)]
    end
    echo auto
    switch "$codec"
        case h264
            printf '%s\n' libx264 h264_nvenc h264_qsv h264_amf h264_videotoolbox h264_vaapi h264_vulkan
        case hevc
            printf '%s\n' libx265 hevc_nvenc hevc_qsv hevc_amf hevc_videotoolbox hevc_vaapi hevc_vulkan
        case av1
            printf '%s\n' libsvtav1 av1_nvenc av1_qsv av1_amf av1_vaapi av1_vulkan
        case '*'
            printf '%s\n' libx264 h264_nvenc h264_qsv h264_amf h264_videotoolbox h264_vaapi h264_vulkan libx265 hevc_nvenc hevc_qsv hevc_amf hevc_videotoolbox hevc_vaapi hevc_vulkan libsvtav1 av1_nvenc av1_qsv av1_amf av1_vaapi av1_vulkan
    end
end

complete -c mpt -f
complete -c mpt -n __mpt_at -l help -s h -d 'Show help'
complete -c mpt -n __mpt_at -l version -d 'Print the version'
complete -c mpt -n __mpt_at -a process -d 'check clips, make them uniform, join and prove the reel'
complete -c mpt -n __mpt_at -a concat -d 'join only: copy frames where that is safe'
complete -c mpt -n __mpt_at -a batch -d 'run many jobs side by side, from files or stdin'
complete -c mpt -n __mpt_at -a validate -d 'report which clips can be used, and their format'
complete -c mpt -n __mpt_at -a health -d 'check everything that mpt needs on this machine'
complete -c mpt -n __mpt_at -a report -d 'report the result, time and memory of an earlier run'
complete -c mpt -n __mpt_at -a config -d 'show, create or describe settings'
complete -c mpt -n '__mpt_in config' -a show -d 'print each setting and where its value comes from'
complete -c mpt -n '__mpt_in config' -a init -d 'write a file with every setting, explained'
complete -c mpt -n '__mpt_in config' -a schema -d 'print the JSON Schema of the settings, for editors'
complete -c mpt -n __mpt_at -a cache -d 'show, prune or clear the cache of finished clips'
complete -c mpt -n __mpt_at -a completions -d 'print the completion script of a shell'

complete -c mpt -n '__mpt_at process' -l null -s 0 -d 'Paths on stdin end with NUL, as those of find -print0'
complete -c mpt -n '__mpt_at process' -l job -r -k -f -a '(__fish_complete_suffix .toml)' -d 'Take clips (trimmed, muted) and options from a file with one job'
complete -c mpt -n '__mpt_at process' -l output -s o -r -F -d 'The reel: .mp4, .mov or .mkv'
complete -c mpt -n '__mpt_at process' -l contact-sheet -r -F -d 'Also write an image with one frame of each clip: .png, .jpg'
complete -c mpt -n '__mpt_at process' -l poster -r -F -d 'Also write an image of the best frame: .png, .jpg'
complete -c mpt -n '__mpt_at process' -l overwrite -s y -d 'Replace an existing output'
complete -c mpt -n '__mpt_at process' -l if-changed -d 'Do nothing if the output is up to date; replace only what mpt wrote'
complete -c mpt -n '__mpt_at process' -l dry-run -s n -d 'Print the plan and write nothing'
complete -c mpt -n '__mpt_at process' -l preset -r -f -a 'tiktok reels shorts youtube square' -d 'Size, rate and audio of a platform'
complete -c mpt -n '__mpt_at process' -l form -r -f -a 'given auto' -d 'Take size, rate and codec from options and defaults, or from the clips'
complete -c mpt -n '__mpt_at process' -l size -r -f -a '1080x1920 1920x1080 1080x1080' -d 'Frame size'
complete -c mpt -n '__mpt_at process' -l fps -r -f -a 'auto 24 25 30 50 60 30000/1001' -d 'Frame rate: auto, or such as 30 or 30000/1001'
complete -c mpt -n '__mpt_at process' -l fit -r -f -a 'contain cover stretch blur' -d 'How a frame of another shape fills the reel'
complete -c mpt -n '__mpt_at process' -l background -r -f -a 'black white gray red yellow green blue navy' -d 'Colour of bars and behind transparent parts, a name or #rrggbb'
complete -c mpt -n '__mpt_at process' -l max-clip-duration -r -f -d 'Use at most this many seconds of each clip'
complete -c mpt -n '__mpt_at process' -l codec -r -f -a 'h264 hevc av1' -d 'Video codec'
complete -c mpt -n '__mpt_at process' -l encoder -r -f -a '(__mpt_encoders)' -d 'Encoder of ffmpeg, such as h264_nvenc; auto takes the first that works'
complete -c mpt -n '__mpt_at process' -l quality -r -f -a 'draft balanced high' -d 'Trade between size, speed and quality'
complete -c mpt -n '__mpt_at process' -l crf -r -f -d 'Constant rate factor, lower is better'
complete -c mpt -n '__mpt_at process' -l encoder-preset -r -f -d 'Preset of the encoder, such as slow'
complete -c mpt -n '__mpt_at process' -l encoder-threads -r -f -d 'Threads of one encoder'
complete -c mpt -n '__mpt_at process' -l audio-tracks -r -f -a 'auto first mix' -d 'Audio tracks of a clip that are used, or the number of one'
complete -c mpt -n '__mpt_at process' -l order -r -f -a 'given name time' -d 'Put the clips in this order; time is that of recording'
complete -c mpt -n '__mpt_at process' -l mode -r -f -a 'sequential random' -d 'Keep that order, or shuffle the clips'
complete -c mpt -n '__mpt_at process' -l seed -r -f -d 'Makes a random order repeatable'
complete -c mpt -n '__mpt_at process' -l copy -r -f -a 'identical compatible never' -d 'Clips that may be copied; of compatible ones some players show black'
complete -c mpt -n '__mpt_at process' -l no-chapters -d 'Leave out the chapters with the names of the clips'
complete -c mpt -n '__mpt_at process' -l no-fallback -d 'Fail instead of using another encoder or join method'
complete -c mpt -n '__mpt_at process' -l on-error -r -f -a 'fail skip' -d 'Create no reel if a clip is bad, or leave that clip out'
complete -c mpt -n '__mpt_at process' -l min-success-rate -r -f -d 'Smallest share of good clips, 0 to 1, with --on-error skip'
complete -c mpt -n '__mpt_at process' -l jobs -s j -r -f -d 'Clips at a time'
complete -c mpt -n '__mpt_at process' -l clip-timeout -r -f -d 'Time limit of one clip'
complete -c mpt -n '__mpt_at process' -l stall-timeout -r -f -d 'Longest time without progress of a clip'
complete -c mpt -n '__mpt_at process' -l deadline -r -f -d 'Stop after this time; the next run continues'
complete -c mpt -n '__mpt_at process' -l max-memory -r -f -d 'Memory budget of mpt and all its processes, such as 2GiB'
complete -c mpt -n '__mpt_at process' -l no-cache -d 'Neither use nor keep finished clips'
complete -c mpt -n '__mpt_at process' -l paranoid -d 'Read inputs again even if size and times are unchanged'
complete -c mpt -n '__mpt_at process' -l keep-temp -d 'Leave temporary files, for debugging'
complete -c mpt -n '__mpt_at process' -l metrics-file -r -F -d 'Write metrics for Prometheus to this file, in place of that of the last run'
complete -c mpt -n '__mpt_at process' -l manifest -r -F -d 'Write hashes and commands to this file, in place of that of the last run'
complete -c mpt -n '__mpt_at process' -l config -s c -r -k -f -a '(__fish_complete_suffix .toml)' -d 'Read this configuration instead of ./mpt.toml'
complete -c mpt -n '__mpt_at process' -l json -d 'Print one JSON document and nothing else'
complete -c mpt -n '__mpt_at process' -l jsonl -d 'Print one JSON object per event, the result last'
complete -c mpt -n '__mpt_at process' -l quiet -s q -d 'Show only errors'
complete -c mpt -n '__mpt_at process' -l verbose -s v -d 'Show details and tracebacks'
complete -c mpt -n '__mpt_at process' -l log-file -r -F -d 'Also write the log to this file'
complete -c mpt -n '__mpt_at process' -l color -r -f -a 'auto always never' -d 'When to use colours'
complete -c mpt -n '__mpt_at process' -l help -s h -d 'Show help'
complete -c mpt -n '__mpt_at process' -F

complete -c mpt -n '__mpt_at concat' -l null -s 0 -d 'Paths on stdin end with NUL, as those of find -print0'
complete -c mpt -n '__mpt_at concat' -l method -r -f -a 'auto copy reencode moviepy' -d 'How to join'
complete -c mpt -n '__mpt_at concat' -l output -s o -r -F -d 'The reel: .mp4, .mov or .mkv'
complete -c mpt -n '__mpt_at concat' -l contact-sheet -r -F -d 'Also write an image with one frame of each clip: .png, .jpg'
complete -c mpt -n '__mpt_at concat' -l poster -r -F -d 'Also write an image of the best frame: .png, .jpg'
complete -c mpt -n '__mpt_at concat' -l overwrite -s y -d 'Replace an existing output'
complete -c mpt -n '__mpt_at concat' -l if-changed -d 'Do nothing if the output is up to date; replace only what mpt wrote'
complete -c mpt -n '__mpt_at concat' -l dry-run -s n -d 'Print the plan and write nothing'
complete -c mpt -n '__mpt_at concat' -l preset -r -f -a 'tiktok reels shorts youtube square' -d 'Size, rate and audio of a platform'
complete -c mpt -n '__mpt_at concat' -l form -r -f -a 'given auto' -d 'Take size, rate and codec from options and defaults, or from the clips'
complete -c mpt -n '__mpt_at concat' -l size -r -f -a '1080x1920 1920x1080 1080x1080' -d 'Frame size'
complete -c mpt -n '__mpt_at concat' -l fps -r -f -a 'auto 24 25 30 50 60 30000/1001' -d 'Frame rate: auto, or such as 30 or 30000/1001'
complete -c mpt -n '__mpt_at concat' -l fit -r -f -a 'contain cover stretch blur' -d 'How a frame of another shape fills the reel'
complete -c mpt -n '__mpt_at concat' -l background -r -f -a 'black white gray red yellow green blue navy' -d 'Colour of bars and behind transparent parts, a name or #rrggbb'
complete -c mpt -n '__mpt_at concat' -l max-clip-duration -r -f -d 'Use at most this many seconds of each clip'
complete -c mpt -n '__mpt_at concat' -l codec -r -f -a 'h264 hevc av1' -d 'Video codec'
complete -c mpt -n '__mpt_at concat' -l encoder -r -f -a '(__mpt_encoders)' -d 'Encoder of ffmpeg, such as h264_nvenc; auto takes the first that works'
complete -c mpt -n '__mpt_at concat' -l quality -r -f -a 'draft balanced high' -d 'Trade between size, speed and quality'
complete -c mpt -n '__mpt_at concat' -l crf -r -f -d 'Constant rate factor, lower is better'
complete -c mpt -n '__mpt_at concat' -l encoder-preset -r -f -d 'Preset of the encoder, such as slow'
complete -c mpt -n '__mpt_at concat' -l encoder-threads -r -f -d 'Threads of one encoder'
complete -c mpt -n '__mpt_at concat' -l audio-tracks -r -f -a 'auto first mix' -d 'Audio tracks of a clip that are used, or the number of one'
complete -c mpt -n '__mpt_at concat' -l order -r -f -a 'given name time' -d 'Put the clips in this order; time is that of recording'
complete -c mpt -n '__mpt_at concat' -l mode -r -f -a 'sequential random' -d 'Keep that order, or shuffle the clips'
complete -c mpt -n '__mpt_at concat' -l seed -r -f -d 'Makes a random order repeatable'
complete -c mpt -n '__mpt_at concat' -l copy -r -f -a 'identical compatible never' -d 'Clips that may be copied; of compatible ones some players show black'
complete -c mpt -n '__mpt_at concat' -l no-chapters -d 'Leave out the chapters with the names of the clips'
complete -c mpt -n '__mpt_at concat' -l no-fallback -d 'Fail instead of using another encoder or join method'
complete -c mpt -n '__mpt_at concat' -l on-error -r -f -a 'fail skip' -d 'Create no reel if a clip is bad, or leave that clip out'
complete -c mpt -n '__mpt_at concat' -l min-success-rate -r -f -d 'Smallest share of good clips, 0 to 1, with --on-error skip'
complete -c mpt -n '__mpt_at concat' -l jobs -s j -r -f -d 'Clips at a time'
complete -c mpt -n '__mpt_at concat' -l clip-timeout -r -f -d 'Time limit of one clip'
complete -c mpt -n '__mpt_at concat' -l stall-timeout -r -f -d 'Longest time without progress of a clip'
complete -c mpt -n '__mpt_at concat' -l deadline -r -f -d 'Stop after this time; the next run continues'
complete -c mpt -n '__mpt_at concat' -l max-memory -r -f -d 'Memory budget of mpt and all its processes, such as 2GiB'
complete -c mpt -n '__mpt_at concat' -l no-cache -d 'Neither use nor keep finished clips'
complete -c mpt -n '__mpt_at concat' -l paranoid -d 'Read inputs again even if size and times are unchanged'
complete -c mpt -n '__mpt_at concat' -l keep-temp -d 'Leave temporary files, for debugging'
complete -c mpt -n '__mpt_at concat' -l metrics-file -r -F -d 'Write metrics for Prometheus to this file, in place of that of the last run'
complete -c mpt -n '__mpt_at concat' -l manifest -r -F -d 'Write hashes and commands to this file, in place of that of the last run'
complete -c mpt -n '__mpt_at concat' -l config -s c -r -k -f -a '(__fish_complete_suffix .toml)' -d 'Read this configuration instead of ./mpt.toml'
complete -c mpt -n '__mpt_at concat' -l json -d 'Print one JSON document and nothing else'
complete -c mpt -n '__mpt_at concat' -l jsonl -d 'Print one JSON object per event, the result last'
complete -c mpt -n '__mpt_at concat' -l quiet -s q -d 'Show only errors'
complete -c mpt -n '__mpt_at concat' -l verbose -s v -d 'Show details and tracebacks'
complete -c mpt -n '__mpt_at concat' -l log-file -r -F -d 'Also write the log to this file'
complete -c mpt -n '__mpt_at concat' -l color -r -f -a 'auto always never' -d 'When to use colours'
complete -c mpt -n '__mpt_at concat' -l help -s h -d 'Show help'
complete -c mpt -n '__mpt_at concat' -F

complete -c mpt -n '__mpt_at batch' -l only -r -f -a '(__mpt_jobs)' -d 'Run this job alone; may be given again for more'
complete -c mpt -n '__mpt_at batch' -l overwrite -s y -d 'Replace an existing output'
complete -c mpt -n '__mpt_at batch' -l if-changed -d 'Do nothing if the output is up to date; replace only what mpt wrote'
complete -c mpt -n '__mpt_at batch' -l dry-run -s n -d 'Print the plan and write nothing'
complete -c mpt -n '__mpt_at batch' -l preset -r -f -a 'tiktok reels shorts youtube square' -d 'Size, rate and audio of a platform'
complete -c mpt -n '__mpt_at batch' -l form -r -f -a 'given auto' -d 'Take size, rate and codec from options and defaults, or from the clips'
complete -c mpt -n '__mpt_at batch' -l size -r -f -a '1080x1920 1920x1080 1080x1080' -d 'Frame size'
complete -c mpt -n '__mpt_at batch' -l fps -r -f -a 'auto 24 25 30 50 60 30000/1001' -d 'Frame rate: auto, or such as 30 or 30000/1001'
complete -c mpt -n '__mpt_at batch' -l fit -r -f -a 'contain cover stretch blur' -d 'How a frame of another shape fills the reel'
complete -c mpt -n '__mpt_at batch' -l background -r -f -a 'black white gray red yellow green blue navy' -d 'Colour of bars and behind transparent parts, a name or #rrggbb'
complete -c mpt -n '__mpt_at batch' -l max-clip-duration -r -f -d 'Use at most this many seconds of each clip'
complete -c mpt -n '__mpt_at batch' -l codec -r -f -a 'h264 hevc av1' -d 'Video codec'
complete -c mpt -n '__mpt_at batch' -l encoder -r -f -a '(__mpt_encoders)' -d 'Encoder of ffmpeg, such as h264_nvenc; auto takes the first that works'
complete -c mpt -n '__mpt_at batch' -l quality -r -f -a 'draft balanced high' -d 'Trade between size, speed and quality'
complete -c mpt -n '__mpt_at batch' -l crf -r -f -d 'Constant rate factor, lower is better'
complete -c mpt -n '__mpt_at batch' -l encoder-preset -r -f -d 'Preset of the encoder, such as slow'
complete -c mpt -n '__mpt_at batch' -l encoder-threads -r -f -d 'Threads of one encoder'
complete -c mpt -n '__mpt_at batch' -l audio-tracks -r -f -a 'auto first mix' -d 'Audio tracks of a clip that are used, or the number of one'
complete -c mpt -n '__mpt_at batch' -l order -r -f -a 'given name time' -d 'Put the clips in this order; time is that of recording'
complete -c mpt -n '__mpt_at batch' -l mode -r -f -a 'sequential random' -d 'Keep that order, or shuffle the clips'
complete -c mpt -n '__mpt_at batch' -l seed -r -f -d 'Makes a random order repeatable'
complete -c mpt -n '__mpt_at batch' -l copy -r -f -a 'identical compatible never' -d 'Clips that may be copied; of compatible ones some players show black'
complete -c mpt -n '__mpt_at batch' -l no-chapters -d 'Leave out the chapters with the names of the clips'
complete -c mpt -n '__mpt_at batch' -l no-fallback -d 'Fail instead of using another encoder or join method'
complete -c mpt -n '__mpt_at batch' -l on-error -r -f -a 'fail skip' -d 'Create no reel if a clip is bad, or leave that clip out'
complete -c mpt -n '__mpt_at batch' -l min-success-rate -r -f -d 'Smallest share of good clips, 0 to 1, with --on-error skip'
complete -c mpt -n '__mpt_at batch' -l jobs -s j -r -f -d 'Clips at a time'
complete -c mpt -n '__mpt_at batch' -l clip-timeout -r -f -d 'Time limit of one clip'
complete -c mpt -n '__mpt_at batch' -l stall-timeout -r -f -d 'Longest time without progress of a clip'
complete -c mpt -n '__mpt_at batch' -l deadline -r -f -d 'Stop after this time; the next run continues'
complete -c mpt -n '__mpt_at batch' -l max-memory -r -f -d 'Memory budget of mpt and all its processes, such as 2GiB'
complete -c mpt -n '__mpt_at batch' -l no-cache -d 'Neither use nor keep finished clips'
complete -c mpt -n '__mpt_at batch' -l paranoid -d 'Read inputs again even if size and times are unchanged'
complete -c mpt -n '__mpt_at batch' -l keep-temp -d 'Leave temporary files, for debugging'
complete -c mpt -n '__mpt_at batch' -l metrics-file -r -F -d 'Write metrics for Prometheus to this file, in place of that of the last run'
complete -c mpt -n '__mpt_at batch' -l manifest -r -F -d 'Write hashes and commands to this file, in place of that of the last run'
complete -c mpt -n '__mpt_at batch' -l junit -r -F -d 'Write JUnit XML for CI servers to this file, in place of that of the last run'
complete -c mpt -n '__mpt_at batch' -l fail-fast -d 'Start no job after a failed one, and none at all if one is refused'
complete -c mpt -n '__mpt_at batch' -l config -s c -r -k -f -a '(__fish_complete_suffix .toml)' -d 'Read this configuration instead of ./mpt.toml'
complete -c mpt -n '__mpt_at batch' -l json -d 'Print one JSON document and nothing else'
complete -c mpt -n '__mpt_at batch' -l jsonl -d 'Print one JSON object per event, the result last'
complete -c mpt -n '__mpt_at batch' -l quiet -s q -d 'Show only errors'
complete -c mpt -n '__mpt_at batch' -l verbose -s v -d 'Show details and tracebacks'
complete -c mpt -n '__mpt_at batch' -l log-file -r -F -d 'Also write the log to this file'
complete -c mpt -n '__mpt_at batch' -l color -r -f -a 'auto always never' -d 'When to use colours'
complete -c mpt -n '__mpt_at batch' -l help -s h -d 'Show help'
complete -c mpt -n '__mpt_at batch' -k -f -a '(__fish_complete_suffix .toml)'

complete -c mpt -n '__mpt_at validate' -l null -s 0 -d 'Paths on stdin end with NUL, as those of find -print0'
complete -c mpt -n '__mpt_at validate' -l deep -d 'Decode every frame of every clip, which takes long'
complete -c mpt -n '__mpt_at validate' -l strict -d 'Treat warnings as errors'
complete -c mpt -n '__mpt_at validate' -l audio-tracks -r -f -a 'auto first mix' -d 'Audio tracks of a clip that are used, or the number of one'
complete -c mpt -n '__mpt_at validate' -l junit -r -F -d 'Write JUnit XML for CI servers to this file, in place of that of the last run'
complete -c mpt -n '__mpt_at validate' -l metrics-file -r -F -d 'Write metrics for Prometheus to this file, in place of that of the last run'
complete -c mpt -n '__mpt_at validate' -l config -s c -r -k -f -a '(__fish_complete_suffix .toml)' -d 'Read this configuration instead of ./mpt.toml'
complete -c mpt -n '__mpt_at validate' -l json -d 'Print one JSON document and nothing else'
complete -c mpt -n '__mpt_at validate' -l jsonl -d 'Print one JSON object per event, the result last'
complete -c mpt -n '__mpt_at validate' -l quiet -s q -d 'Show only errors'
complete -c mpt -n '__mpt_at validate' -l verbose -s v -d 'Show details and tracebacks'
complete -c mpt -n '__mpt_at validate' -l log-file -r -F -d 'Also write the log to this file'
complete -c mpt -n '__mpt_at validate' -l color -r -f -a 'auto always never' -d 'When to use colours'
complete -c mpt -n '__mpt_at validate' -l help -s h -d 'Show help'
complete -c mpt -n '__mpt_at validate' -F

complete -c mpt -n '__mpt_at health' -l deep -d 'Also create and verify a small reel'
complete -c mpt -n '__mpt_at health' -l config -s c -r -k -f -a '(__fish_complete_suffix .toml)' -d 'Read this configuration instead of ./mpt.toml'
complete -c mpt -n '__mpt_at health' -l json -d 'Print one JSON document and nothing else'
complete -c mpt -n '__mpt_at health' -l jsonl -d 'Print one JSON object per event, the result last'
complete -c mpt -n '__mpt_at health' -l quiet -s q -d 'Show only errors'
complete -c mpt -n '__mpt_at health' -l verbose -s v -d 'Show details and tracebacks'
complete -c mpt -n '__mpt_at health' -l log-file -r -F -d 'Also write the log to this file'
complete -c mpt -n '__mpt_at health' -l color -r -f -a 'auto always never' -d 'When to use colours'
complete -c mpt -n '__mpt_at health' -l help -s h -d 'Show help'

complete -c mpt -n '__mpt_at report' -l html -r -F -d 'Also write the report as one HTML page without external files'
complete -c mpt -n '__mpt_at report' -l limit -r -f -d 'Most runs of mpt report list'
complete -c mpt -n '__mpt_at report' -l overwrite -s y -d 'Replace an existing page'
complete -c mpt -n '__mpt_at report' -l config -s c -r -k -f -a '(__fish_complete_suffix .toml)' -d 'Read this configuration instead of ./mpt.toml'
complete -c mpt -n '__mpt_at report' -l json -d 'Print one JSON document and nothing else'
complete -c mpt -n '__mpt_at report' -l jsonl -d 'Print one JSON object per event, the result last'
complete -c mpt -n '__mpt_at report' -l quiet -s q -d 'Show only errors'
complete -c mpt -n '__mpt_at report' -l verbose -s v -d 'Show details and tracebacks'
complete -c mpt -n '__mpt_at report' -l log-file -r -F -d 'Also write the log to this file'
complete -c mpt -n '__mpt_at report' -l color -r -f -a 'auto always never' -d 'When to use colours'
complete -c mpt -n '__mpt_at report' -l help -s h -d 'Show help'
complete -c mpt -n '__mpt_at report' -F -k -a '(__mpt_workflows)'

complete -c mpt -n '__mpt_at config show' -l preset -r -f -a 'tiktok reels shorts youtube square' -d 'Size, rate and audio of a platform'
complete -c mpt -n '__mpt_at config show' -l form -r -f -a 'given auto' -d 'Take size, rate and codec from options and defaults, or from the clips'
complete -c mpt -n '__mpt_at config show' -l size -r -f -a '1080x1920 1920x1080 1080x1080' -d 'Frame size'
complete -c mpt -n '__mpt_at config show' -l fps -r -f -a 'auto 24 25 30 50 60 30000/1001' -d 'Frame rate: auto, or such as 30 or 30000/1001'
complete -c mpt -n '__mpt_at config show' -l fit -r -f -a 'contain cover stretch blur' -d 'How a frame of another shape fills the reel'
complete -c mpt -n '__mpt_at config show' -l background -r -f -a 'black white gray red yellow green blue navy' -d 'Colour of bars and behind transparent parts, a name or #rrggbb'
complete -c mpt -n '__mpt_at config show' -l max-clip-duration -r -f -d 'Use at most this many seconds of each clip'
complete -c mpt -n '__mpt_at config show' -l codec -r -f -a 'h264 hevc av1' -d 'Video codec'
complete -c mpt -n '__mpt_at config show' -l encoder -r -f -a '(__mpt_encoders)' -d 'Encoder of ffmpeg, such as h264_nvenc; auto takes the first that works'
complete -c mpt -n '__mpt_at config show' -l quality -r -f -a 'draft balanced high' -d 'Trade between size, speed and quality'
complete -c mpt -n '__mpt_at config show' -l crf -r -f -d 'Constant rate factor, lower is better'
complete -c mpt -n '__mpt_at config show' -l encoder-preset -r -f -d 'Preset of the encoder, such as slow'
complete -c mpt -n '__mpt_at config show' -l encoder-threads -r -f -d 'Threads of one encoder'
complete -c mpt -n '__mpt_at config show' -l audio-tracks -r -f -a 'auto first mix' -d 'Audio tracks of a clip that are used, or the number of one'
complete -c mpt -n '__mpt_at config show' -l order -r -f -a 'given name time' -d 'Put the clips in this order; time is that of recording'
complete -c mpt -n '__mpt_at config show' -l mode -r -f -a 'sequential random' -d 'Keep that order, or shuffle the clips'
complete -c mpt -n '__mpt_at config show' -l seed -r -f -d 'Makes a random order repeatable'
complete -c mpt -n '__mpt_at config show' -l copy -r -f -a 'identical compatible never' -d 'Clips that may be copied; of compatible ones some players show black'
complete -c mpt -n '__mpt_at config show' -l no-chapters -d 'Leave out the chapters with the names of the clips'
complete -c mpt -n '__mpt_at config show' -l no-fallback -d 'Fail instead of using another encoder or join method'
complete -c mpt -n '__mpt_at config show' -l on-error -r -f -a 'fail skip' -d 'Create no reel if a clip is bad, or leave that clip out'
complete -c mpt -n '__mpt_at config show' -l min-success-rate -r -f -d 'Smallest share of good clips, 0 to 1, with --on-error skip'
complete -c mpt -n '__mpt_at config show' -l jobs -s j -r -f -d 'Clips at a time'
complete -c mpt -n '__mpt_at config show' -l clip-timeout -r -f -d 'Time limit of one clip'
complete -c mpt -n '__mpt_at config show' -l stall-timeout -r -f -d 'Longest time without progress of a clip'
complete -c mpt -n '__mpt_at config show' -l deadline -r -f -d 'Stop after this time; the next run continues'
complete -c mpt -n '__mpt_at config show' -l max-memory -r -f -d 'Memory budget of mpt and all its processes, such as 2GiB'
complete -c mpt -n '__mpt_at config show' -l no-cache -d 'Neither use nor keep finished clips'
complete -c mpt -n '__mpt_at config show' -l paranoid -d 'Read inputs again even if size and times are unchanged'
complete -c mpt -n '__mpt_at config show' -l config -s c -r -k -f -a '(__fish_complete_suffix .toml)' -d 'Read this configuration instead of ./mpt.toml'
complete -c mpt -n '__mpt_at config show' -l json -d 'Print one JSON document and nothing else'
complete -c mpt -n '__mpt_at config show' -l jsonl -d 'Print one JSON object per event, the result last'
complete -c mpt -n '__mpt_at config show' -l quiet -s q -d 'Show only errors'
complete -c mpt -n '__mpt_at config show' -l verbose -s v -d 'Show details and tracebacks'
complete -c mpt -n '__mpt_at config show' -l log-file -r -F -d 'Also write the log to this file'
complete -c mpt -n '__mpt_at config show' -l color -r -f -a 'auto always never' -d 'When to use colours'
complete -c mpt -n '__mpt_at config show' -l help -s h -d 'Show help'
complete -c mpt -n '__mpt_at config show; and not __fish_seen_subcommand_from video encode audio concat processing memory validation batch cache paths ffmpeg video.form video.size video.fps video.fit video.background video.max_clip_duration encode.codec encode.encoder encode.quality encode.threads encode.crf encode.preset encode.fallback audio.codec audio.bitrate audio.sample_rate audio.channels audio.tracks concat.order concat.mode concat.seed concat.copy concat.timeout concat.fallback concat.chapters processing.on_error processing.min_success_rate processing.jobs processing.clip_timeout processing.stall_timeout processing.deadline processing.max_clips memory.max memory.pressure_threshold memory.cleanup_interval validation.max_file_size validation.min_width validation.min_height validation.max_width validation.max_height validation.max_pixels validation.min_aspect_ratio validation.max_aspect_ratio validation.max_duration validation.max_streams validation.probe_timeout validation.probe_memory batch.max_jobs cache.enabled cache.paranoid cache.max_size cache.dir paths.temp paths.state ffmpeg.binary' -f -a 'video encode audio concat processing memory validation batch cache paths ffmpeg video.form video.size video.fps video.fit video.background video.max_clip_duration encode.codec encode.encoder encode.quality encode.threads encode.crf encode.preset encode.fallback audio.codec audio.bitrate audio.sample_rate audio.channels audio.tracks concat.order concat.mode concat.seed concat.copy concat.timeout concat.fallback concat.chapters processing.on_error processing.min_success_rate processing.jobs processing.clip_timeout processing.stall_timeout processing.deadline processing.max_clips memory.max memory.pressure_threshold memory.cleanup_interval validation.max_file_size validation.min_width validation.min_height validation.max_width validation.max_height validation.max_pixels validation.min_aspect_ratio validation.max_aspect_ratio validation.max_duration validation.max_streams validation.probe_timeout validation.probe_memory batch.max_jobs cache.enabled cache.paranoid cache.max_size cache.dir paths.temp paths.state ffmpeg.binary'

complete -c mpt -n '__mpt_at config init' -l user -d 'Write the file of the user, which applies in every folder'
complete -c mpt -n '__mpt_at config init' -l overwrite -s y -d 'Replace an existing file'
complete -c mpt -n '__mpt_at config init' -l config -s c -r -k -f -a '(__fish_complete_suffix .toml)' -d 'Read this configuration instead of ./mpt.toml'
complete -c mpt -n '__mpt_at config init' -l json -d 'Print one JSON document and nothing else'
complete -c mpt -n '__mpt_at config init' -l jsonl -d 'Print one JSON object per event, the result last'
complete -c mpt -n '__mpt_at config init' -l quiet -s q -d 'Show only errors'
complete -c mpt -n '__mpt_at config init' -l verbose -s v -d 'Show details and tracebacks'
complete -c mpt -n '__mpt_at config init' -l log-file -r -F -d 'Also write the log to this file'
complete -c mpt -n '__mpt_at config init' -l color -r -f -a 'auto always never' -d 'When to use colours'
complete -c mpt -n '__mpt_at config init' -l help -s h -d 'Show help'
complete -c mpt -n '__mpt_at config init' -F

complete -c mpt -n '__mpt_at config schema' -l config -s c -r -k -f -a '(__fish_complete_suffix .toml)' -d 'Read this configuration instead of ./mpt.toml'
complete -c mpt -n '__mpt_at config schema' -l json -d 'Print one JSON document and nothing else'
complete -c mpt -n '__mpt_at config schema' -l jsonl -d 'Print one JSON object per event, the result last'
complete -c mpt -n '__mpt_at config schema' -l quiet -s q -d 'Show only errors'
complete -c mpt -n '__mpt_at config schema' -l verbose -s v -d 'Show details and tracebacks'
complete -c mpt -n '__mpt_at config schema' -l log-file -r -F -d 'Also write the log to this file'
complete -c mpt -n '__mpt_at config schema' -l color -r -f -a 'auto always never' -d 'When to use colours'
complete -c mpt -n '__mpt_at config schema' -l help -s h -d 'Show help'

complete -c mpt -n '__mpt_at cache' -l config -s c -r -k -f -a '(__fish_complete_suffix .toml)' -d 'Read this configuration instead of ./mpt.toml'
complete -c mpt -n '__mpt_at cache' -l json -d 'Print one JSON document and nothing else'
complete -c mpt -n '__mpt_at cache' -l jsonl -d 'Print one JSON object per event, the result last'
complete -c mpt -n '__mpt_at cache' -l quiet -s q -d 'Show only errors'
complete -c mpt -n '__mpt_at cache' -l verbose -s v -d 'Show details and tracebacks'
complete -c mpt -n '__mpt_at cache' -l log-file -r -F -d 'Also write the log to this file'
complete -c mpt -n '__mpt_at cache' -l color -r -f -a 'auto always never' -d 'When to use colours'
complete -c mpt -n '__mpt_at cache' -l help -s h -d 'Show help'
complete -c mpt -n '__mpt_at cache; and not __fish_seen_subcommand_from info prune clear' -f -a 'info prune clear'

complete -c mpt -n '__mpt_at completions' -l help -s h -d 'Show help'
complete -c mpt -n '__mpt_at completions; and not __fish_seen_subcommand_from bash zsh fish powershell' -f -a 'bash zsh fish powershell'
