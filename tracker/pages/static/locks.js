// Times to come, in the viewer's zone; those with data-until count down.
const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' })
const whole = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' })
const coming = document.querySelectorAll('time[data-until], time[data-at]')

function left (ms) {
  const seconds = Math.ceil(ms / 1000)
  if (seconds <= 0) return 'now: load the page again'
  return seconds > 120 ? `in ${Math.ceil(seconds / 60)} minutes` : `in ${seconds} seconds`
}

function show (time) {
  const end = new Date(time.dateTime)
  const today = end.toDateString() === new Date().toDateString()
  const at = (today ? clock : whole).format(end)
  const shown = 'until' in time.dataset ? `${at} (${left(end - Date.now())})` : at
  if (time.textContent !== shown) time.textContent = shown
}

function tick () {
  coming.forEach(show)
}

tick()
if (document.querySelector('time[data-until]')) setInterval(tick, 1000)
