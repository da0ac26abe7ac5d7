# Completion of mpt for bash, made by `mpt completions bash`. Nothing here but the names of jobs and
# of earlier runs needs mpt to run.

# The commands and options that may follow the command $1.
_mpt_words() {
    case $1 in
    "") if [[ -n $2 ]]; then echo "--help -h --version"; else echo "process concat batch work validate health report config cache completions"; fi ;;
    config) if [[ -n $2 ]]; then echo "--help -h"; else echo "show init schema"; fi ;;
    "process") echo "--null -0 --job --tasks --output -o --contact-sheet --poster --overwrite -y --if-changed --dry-run -n --preset --form --size --fps --fit --background --dynamic-range --max-clip-duration --codec --encoder --quality --crf --encoder-preset --encoder-threads --audio-codec --audio-rate --audio-channels --audio-tracks --loudness --even-out --order --mode --seed --copy --no-chapters --no-fallback --on-error --min-success-rate --jobs -j --clip-timeout --stall-timeout --deadline --max-memory --no-cache --paranoid --keep-temp --metrics-file --manifest --config -c --json --jsonl --quiet -q --verbose -v --log-file --log-format --color --help -h" ;;
    "concat") echo "--null -0 --method --output -o --contact-sheet --poster --overwrite -y --if-changed --dry-run -n --preset --form --size --fps --fit --background --dynamic-range --max-clip-duration --codec --encoder --quality --crf --encoder-preset --encoder-threads --audio-codec --audio-rate --audio-channels --audio-tracks --loudness --even-out --order --mode --seed --copy --no-chapters --no-fallback --on-error --min-success-rate --jobs -j --clip-timeout --stall-timeout --deadline --max-memory --no-cache --paranoid --keep-temp --metrics-file --manifest --config -c --json --jsonl --quiet -q --verbose -v --log-file --log-format --color --help -h" ;;
    "batch") echo "--only --overwrite -y --if-changed --dry-run -n --preset --form --size --fps --fit --background --dynamic-range --max-clip-duration --codec --encoder --quality --crf --encoder-preset --encoder-threads --audio-codec --audio-rate --audio-channels --audio-tracks --loudness --even-out --order --mode --seed --copy --no-chapters --no-fallback --on-error --min-success-rate --jobs -j --clip-timeout --stall-timeout --deadline --max-memory --no-cache --paranoid --keep-temp --metrics-file --manifest --junit --fail-fast --config -c --json --jsonl --quiet -q --verbose -v --log-file --log-format --color --help -h" ;;
    "work") echo "--cache-dir --config -c --json --jsonl --quiet -q --verbose -v --log-file --log-format --color --help -h" ;;
    "validate") echo "--null -0 --deep --strict --audio-tracks --junit --metrics-file --config -c --json --jsonl --quiet -q --verbose -v --log-file --log-format --color --help -h" ;;
    "health") echo "--deep --config -c --json --jsonl --quiet -q --verbose -v --log-file --log-format --color --help -h" ;;
    "report") echo "--html --limit --overwrite -y --config -c --json --jsonl --quiet -q --verbose -v --log-file --log-format --color --help -h" ;;
    "config show") echo "--preset --form --size --fps --fit --background --dynamic-range --max-clip-duration --codec --encoder --quality --crf --encoder-preset --encoder-threads --audio-codec --audio-rate --audio-channels --audio-tracks --loudness --even-out --order --mode --seed --copy --no-chapters --no-fallback --on-error --min-success-rate --jobs -j --clip-timeout --stall-timeout --deadline --max-memory --no-cache --paranoid --config -c --json --jsonl --quiet -q --verbose -v --log-file --log-format --color --help -h" ;;
    "config init") echo "--user --overwrite -y --config -c --json --jsonl --quiet -q --verbose -v --log-file --log-format --color --help -h" ;;
    "config schema") echo "--config -c --json --jsonl --quiet -q --verbose -v --log-file --log-format --color --help -h" ;;
    "cache") echo "--config -c --json --jsonl --quiet -q --verbose -v --log-file --log-format --color --help -h" ;;
    "completions") echo "--help -h" ;;
    esac
}

# What the option or the argument $1 takes: a kind, then words.
_mpt_wanted() {
    case $1 in
    --job) echo toml ;;
    --tasks) echo text ;;
    --output | -o) echo file ;;
    --contact-sheet) echo file ;;
    --poster) echo file ;;
    --preset) echo 'words tiktok reels shorts youtube square' ;;
    --form) echo 'words given auto' ;;
    --size) echo 'words 1080x1920 1920x1080 1080x1080' ;;
    --fps) echo 'words auto 24 25 30 50 60 30000/1001' ;;
    --fit) echo 'words contain cover stretch blur' ;;
    --background) echo 'words black white gray red yellow green blue navy' ;;
    --dynamic-range) echo 'words sdr hlg pq auto' ;;
    --max-clip-duration) echo text ;;
    --codec) echo 'words h264 hevc av1' ;;
    --encoder) echo encoder ;;
    --quality) echo 'words draft balanced high' ;;
    --crf) echo text ;;
    --encoder-preset) echo text ;;
    --encoder-threads) echo text ;;
    --audio-codec) echo 'words auto aac opus ac3 eac3 flac alac pcm' ;;
    --audio-rate) echo text ;;
    --audio-channels) echo text ;;
    --audio-tracks) echo 'words auto first mix' ;;
    --loudness) echo text ;;
    --order) echo 'words given name time' ;;
    --mode) echo 'words sequential random' ;;
    --seed) echo text ;;
    --copy) echo 'words identical compatible never' ;;
    --on-error) echo 'words fail skip' ;;
    --min-success-rate) echo text ;;
    --jobs | -j) echo text ;;
    --clip-timeout) echo text ;;
    --stall-timeout) echo text ;;
    --deadline) echo text ;;
    --max-memory) echo text ;;
    --metrics-file) echo file ;;
    --manifest) echo file ;;
    --config | -c) echo toml ;;
    --log-file) echo file ;;
    --log-format) echo 'words text json' ;;
    --color) echo 'words auto always never' ;;
    --method) echo 'words auto copy reencode moviepy' ;;
    --only) echo job ;;
    --junit) echo file ;;
    --cache-dir) echo text ;;
    --html) echo file ;;
    --limit) echo text ;;
    "process *") echo file ;;
    "concat *") echo file ;;
    "batch *") echo toml ;;
    "work 0") echo text ;;
    "validate *") echo file ;;
    "report 0") echo workflow ;;
    "config show 0") echo 'words video encode audio concat processing memory validation batch cache paths ffmpeg video.form video.size video.fps video.fit video.background video.dynamic_range video.max_clip_duration encode.codec encode.encoder encode.quality encode.threads encode.crf encode.preset encode.fallback audio.codec audio.bitrate audio.sample_rate audio.channels audio.tracks audio.loudness audio.true_peak audio.even_out concat.order concat.mode concat.seed concat.copy concat.timeout concat.fallback concat.chapters processing.on_error processing.min_success_rate processing.jobs processing.clip_timeout processing.stall_timeout processing.deadline processing.max_clips memory.max memory.pressure_threshold memory.cleanup_interval validation.max_file_size validation.min_width validation.min_height validation.max_width validation.max_height validation.max_pixels validation.min_aspect_ratio validation.max_aspect_ratio validation.max_duration validation.max_streams validation.probe_timeout validation.probe_memory batch.max_jobs cache.enabled cache.paranoid cache.max_size cache.dir paths.temp paths.state ffmpeg.binary' ;;
    "config init 0") echo file ;;
    "cache 0") echo 'words info prune clear' ;;
    "completions 0") echo 'words bash zsh fish powershell' ;;
    esac
}

# The encoders of the codec $1.
_mpt_encoders() {
    case $1 in
    h264) echo "libx264 h264_nvenc h264_qsv h264_amf h264_videotoolbox h264_vaapi h264_vulkan" ;;
    hevc) echo "libx265 hevc_nvenc hevc_qsv hevc_amf hevc_videotoolbox hevc_vaapi hevc_vulkan" ;;
    av1) echo "libsvtav1 av1_nvenc av1_qsv av1_amf av1_vaapi av1_vulkan" ;;
    *) echo "libx264 h264_nvenc h264_qsv h264_amf h264_videotoolbox h264_vaapi h264_vulkan libx265 hevc_nvenc hevc_qsv hevc_amf hevc_videotoolbox hevc_vaapi hevc_vulkan libsvtav1 av1_nvenc av1_qsv av1_amf av1_vaapi av1_vulkan" ;;
    esac
}

# Takes as answers the lines of stdin that begin with $1.
_mpt_take() {
    local line
    while IFS= read -r line; do
        if [[ -n $line && $line == "$1"* ]]; then COMPREPLY+=("$(printf %q "$line")"); fi
    done
}

_mpt() {
    local word=${COMP_WORDS[COMP_CWORD]} program=${COMP_WORDS[0]} path="" option="" codec="" plain="" each i
    local wanted files=() places=0
    COMPREPLY=()
    for ((i = 1; i < COMP_CWORD; i++)); do
        each=${COMP_WORDS[i]}
        if [[ -n $option ]]; then
            if [[ $each == "=" ]]; then continue; fi # bash splits --fit=cover into three words
            if [[ $option == --codec ]]; then codec=$each; fi
            option=""
        elif [[ -z $path ]]; then
            path=$each
        elif [[ " config " == *" $path "* && $each != -* ]]; then
            path+=" $each"
        elif [[ -z $plain && $each == -- ]]; then
            plain=yes
        elif [[ -z $plain && $each == -?* ]]; then
            if [[ -n $(_mpt_wanted "$each") ]]; then option=$each; fi
        else
            files+=("$each")
            places=$((places + 1))
        fi
    done
    if [[ $word == "=" && -n $option ]]; then word=""; fi

    if [[ -n $option ]]; then
        wanted=$(_mpt_wanted "$option")
    elif [[ $word == -* && -z $plain ]]; then
        wanted="words $(_mpt_words "$path" options)"
    elif [[ -z $path || " config " == *" $path "* ]]; then
        wanted="words $(_mpt_words "$path")"
    else
        wanted=$(_mpt_wanted "$path $places")
        if [[ -z $wanted ]]; then wanted=$(_mpt_wanted "$path *"); fi
    fi

    case $wanted in
    file*) return ;; # bash itself offers files where there is no answer
    toml*)
        compopt -o filenames 2>/dev/null
        while IFS= read -r each; do COMPREPLY+=("$each"); done < <(
            compgen -d -- "$word"
            compgen -f -X '!*.toml' -- "$word"
        )
        return
        ;;
    job*) _mpt_take "$word" < <("$program" completions jobs "${files[@]/#/--of=}" 2>/dev/null) ;;
    workflow*)
        _mpt_take "$word" < <("$program" completions workflows 2>/dev/null)
        return # or a file: the output of a run
        ;;
    encoder*) COMPREPLY=($(compgen -W "auto $(_mpt_encoders "$codec")" -- "$word")) ;;
    words*) COMPREPLY=($(compgen -W "${wanted#words}" -- "$word")) ;;
    esac
    compopt +o default +o bashdefault 2>/dev/null # no file can stand here
}

complete -o bashdefault -o default -F _mpt mpt
